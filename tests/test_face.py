import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import homoplasy as hp

SOURCE = Path(hp.__file__).parent


def test_the_example_of_the_design_works():
    rng = np.random.default_rng(1)
    ids = np.arange(100, 130)
    layer = hp.Representation(rng.standard_normal((30, 12)), stimulus_ids=ids, address="my-model/layer3")
    region = hp.Representation(rng.standard_normal((30, 7)), stimulus_ids=ids[::-1], address="my-subject/V1")
    measures = [
        hp.measures.CKA(kernel="rbf", sigma=(28, 36, 68), debiased=True),
        hp.measures.CKA(kernel="rbf", sigma_relative=1.0, debiased=True),
    ]
    table = hp.score([layer], [region], measures, device="cpu", memory="2GB")
    assert table["params"].tolist() == ["sigma=28 debiased", "sigma=36 debiased", "sigma=68 debiased", "c=1 debiased"]
    assert (table["reason"] == "").all()


def test_importing_the_face_loads_neither_torch_nor_pandas():
    code = "import sys, homoplasy; sys.exit(any(name in sys.modules for name in ('torch', 'pandas', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_its_names_are_listed_and_an_unknown_one_says_what_there_is():
    assert dir(hp) == ["Representation", "dual_interval", "measures", "resample", "score"]
    with pytest.raises(AttributeError, match="it offers Representation, dual_interval, measures, resample, score"):
        _ = hp.scores


def test_nothing_inside_the_package_imports_the_face():
    for path in SOURCE.rglob("*.py"):
        assert "import homoplasy\n" not in path.read_text(), path
        assert "import homoplasy as" not in path.read_text(), path
