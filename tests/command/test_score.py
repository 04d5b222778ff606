import json
import math
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from homoplasy.command import app
from tests.maths import golden

X, Y = (one.numpy() for one in golden.raw())


@pytest.fixture
def files(tmp_path, monkeypatch):
    """The golden arrays as files in the current folder."""
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", X)
    np.save("b.npy", Y)
    return tmp_path


def test_it_prints_the_score_with_chance_beside_it(files, call):
    code, out, err = call("score", "a.npy", "b.npy")
    assert (code, err) == (0, "")
    assert "A  a.npy: 12 stimuli x 5 units" in out
    assert "12 stimuli in common, paired by row order." in out
    linear = next(line for line in out.splitlines() if line.startswith("linear biased"))
    assert linear.split()[2:5] == ["0.3998", "0.2939", "±"]
    assert "by chance  exact mean and standard deviation" in out


def test_json_for_a_script(files, call):
    code, out, _ = call("score", "a.npy", "b.npy", "--json", "--sigma", "2", "--relative", "1")
    found = {row["params"]: row for row in json.loads(out)["scores"]}
    assert code == 0
    assert set(found) == {f"{k} {e}" for k in ("linear", "sigma=2", "c=1") for e in ("biased", "debiased")}
    assert found["sigma=2 debiased"]["value"] == pytest.approx(0.0290662488, abs=1e-8)
    row = found["sigma=2 biased"]
    assert row["z"] == pytest.approx((row["value"] - row["null_mean"]) / row["null_sd"])


def test_what_has_no_value_says_why_and_is_null_in_json(files, call):
    np.save("flat.npy", np.ones((12, 3)))
    code, out, _ = call("score", "flat.npy", "b.npy")
    assert code == 0
    assert "none    all stimuli look the same in one of the files" in out
    _, out, _ = call("score", "flat.npy", "b.npy", "--json")
    assert all(row["value"] is None and row["reason"] == "constant_features" for row in json.loads(out)["scores"])


def test_kernels_that_tell_little_are_named(files, call):
    for name in "cd":
        np.save(f"{name}.npy", np.random.default_rng(ord(name)).standard_normal((30, 10)))
    _, out, _ = call("score", "c.npy", "d.npy", "--sigma", "0.1", "--sigma", "100")
    rows = {" ".join(line.split()[:3]): line for line in out.splitlines()}
    assert rows["width 0.1 biased"].endswith("none   narrow, narrow")  # chance has no spread, and so there is no z
    assert rows["width 100 biased"].endswith("flat, flat")


def test_rows_are_paired_by_ids_where_they_are_given(files, call):
    order = np.random.default_rng(1).permutation(12)
    np.save("turned.npy", Y[order])
    np.savetxt("a.txt", np.arange(12), fmt="%d")
    np.savetxt("b.txt", order, fmt="%d")
    _, plain, _ = call("score", "a.npy", "b.npy", "--json")
    code, paired, _ = call("score", "a.npy", "turned.npy", "--ids", "a.txt", "b.txt", "--json")
    assert code == 0
    for left, right in zip(json.loads(plain)["scores"], json.loads(paired)["scores"], strict=True):
        assert math.isclose(left["value"], right["value"], abs_tol=1e-12)
    _, text, _ = call("score", "a.npy", "turned.npy", "--ids", "a.txt", "b.txt")
    assert "paired by stimulus id" in text


def wrong(files):
    np.save("short.npy", Y[:9])
    np.save("tiny.npy", Y[:3])
    np.save("object.npy", np.array([{}], dtype=object))
    spoiled = Y.copy()
    spoiled[0, 0] = np.nan
    np.save("spoiled.npy", spoiled)
    np.savez("named.npz", y=Y, stimulus_ids=np.arange(12))


WRONG = {
    ("short.npy", "b.npy"): (2, "short.npy has 9 rows and b.npy has 12; rows are paired in order"),
    ("tiny.npy", "tiny.npy"): (1, "3 stimuli in common; expected 4 or more"),
    ("object.npy", "b.npy"): (1, "a pickle can run code"),
    ("a.npy", "spoiled.npy"): (1, "spoiled.npy: 1 values are NaN or infinite"),
    ("a.npy", "named.npz"): (2, "named.npz names its stimuli and a.npy does not; give --ids for both"),
    ("a.npy", "none.npy"): (2, "none.npy is not there"),
    ("a.npy", "b.npy", "--sigma", "0"): (2, "a width is a number above zero"),
}


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_bad_input_is_one_sentence_and_an_exit_code(files, call, words):
    wrong(files)
    code, out, err = call("score", *words)
    expected_code, sentence = WRONG[words]
    assert (code, out) == (expected_code, "")
    assert err.startswith("homoplasy: ")
    assert sentence in err
    assert err.count("\n") == 1


def test_an_unknown_option_is_a_wrong_request(files, call):
    assert call("score", "a.npy", "b.npy", "--sigmas", "1")[0] == 2


def test_help_has_an_example():
    shown = CliRunner().invoke(app, ["score", "--help"])
    assert shown.exit_code == 0
    assert "homoplasy score layer3.npy V1.npy" in shown.output
    assert "score" in CliRunner().invoke(app, ["--help"]).output


def test_help_does_not_wait_for_torch():
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom homoplasy.command import app\n"
        "CliRunner().invoke(app, ['score', '--help'])\nsys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
