"""A small checkout in which the commands of the documents run: some patterns, some features, some arrays."""

import json
import subprocess
import sys

import numpy as np
import pytest

from homoplasy.datasets import _manifest
from homoplasy.representation import Representation
from homoplasy.store import arrays
from tests.conftest import ROOT
from tests.docs import blocks, known
from tests.e2e import checkout as checkouts

IDS = np.arange(60)


@pytest.fixture(scope="session")
def checkout(tmp_path_factory) -> checkouts.Checkout:
    """A clean checkout with one commit."""
    return checkouts.make(tmp_path_factory.mktemp("documents"))


@pytest.fixture(scope="session")
def world(checkout) -> checkouts.Checkout:
    """The same with the files that the commands name: a subject, a model, and arrays of a reader's own."""
    rng = np.random.default_rng(1)
    data = checkout.root / "data"
    with _manifest.filling(data / "raw/pocket", "pocket", {}):
        pass
    layers = [_made(rng, f"layer{i}", {"depth": i / 8}) for i in range(1, 9)]
    arrays.write(
        data / "features/planted/language-07.safetensors", "features", layers, {"model": "planted:language-07"}
    )
    regions = [_made(rng, name, {"region": name, "left": 3, "ceiling": 0.8}) for name in ("V1", "PGi")]
    facts = {"subject": "subj01", "shared": IDS[:10].tolist()}
    arrays.write(data / "brain/voxels/subj01/patterns.safetensors", "patterns", regions, facts)
    for name in ("model", "brain", "layer3", "V1"):
        np.save(checkout.root / f"{name}.npy", rng.standard_normal((40, 6)).astype(np.float32))
    return checkout


def _made(rng: np.random.Generator, name: str, facts: dict[str, object]) -> Representation:
    values = rng.standard_normal((len(IDS), 7)).astype(np.float32)
    return Representation(values, IDS, name, unit_ids=np.arange(7), facts=facts)


@pytest.fixture(scope="session")
def said_by_dvc(checkout) -> dict[str, dict[str, object]]:
    """What DVC makes of each of its commands in the documents."""
    said = (one.text for path in blocks.DOCUMENTS for one in blocks.commands(path))
    every = [one for one in dict.fromkeys(said) if one.startswith("dvc ")]
    lines = {
        "run": [one for one in every if (entry := known.find(one)) and entry.here],
        "rehearse": [one for one in every if one.startswith("dvc exp run")],
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.docs.rehearsal", str(checkout.root)],
        cwd=ROOT,
        env=checkouts.environment(),
        input=json.dumps(lines),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))
