import hashlib
import json
import struct
import subprocess
import sys

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as np_arrays

from homoplasy.errors import BadData
from homoplasy.representation import Representation
from homoplasy.store import arrays

IDS = np.array([7, 3, 11])


def layers():
    rng = np.random.default_rng(0)
    first = Representation(rng.normal(size=(3, 4)).astype("float32"), IDS, "layer1", facts={"depth": 0.5, "b": [1]})
    second = Representation(rng.normal(size=(3, 2)).astype("float16"), IDS, "layer2", unit_ids=np.array([4, 9]))
    return [first, second]


def test_what_is_written_is_read(tmp_path):
    arrays.write(tmp_path / "x.safetensors", "features", layers(), {"model": "m"})
    read = arrays.Container(tmp_path / "x.safetensors", "features")
    assert read.names() == ["layer1", "layer2"]
    assert read.facts == {"model": "m"}
    for one in layers():
        assert read.shape(one.address) == one.values.shape
        again = read[one.address]
        assert np.array_equal(again.values, one.values)
        assert again.values.dtype == one.values.dtype
        assert np.array_equal(again.stimulus_ids, IDS)
        assert dict(again.facts) == dict(one.facts)
    assert read["layer2"].unit_ids.tolist() == [4, 9]


@given(np_arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(0, 5)), elements=st.floats(width=32)))
def test_any_value_survives_and_another_reader_agrees(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("any") / "x.safetensors"
    arrays.write(path, "features", [Representation(values, np.arange(len(values)), "a")])
    assert np.array_equal(arrays.Container(path, "features")["a"].values, values, equal_nan=True)
    assert np.array_equal(safetensors.numpy.load_file(path)["a"], values, equal_nan=True)


def test_two_processes_write_the_same_bytes(tmp_path):
    code = (
        "import sys, numpy as np; from pathlib import Path; from homoplasy.store import arrays;"
        "from homoplasy.representation import Representation as R;"
        "arrays.write(Path(sys.argv[1]), 'k', [R(np.ones((2, 3)), [1, 2], str(i), facts={'a': 1, 'b': 2, 'c': i})"
        " for i in range(9)], {str(i): i for i in range(9)})"
    )
    hashes = set()
    for turn in range(2):
        path = tmp_path / f"{turn}.safetensors"
        subprocess.run([sys.executable, "-c", code, str(path)], check=True)
        hashes.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(hashes) == 1


def test_a_write_that_breaks_leaves_nothing_and_keeps_what_was_there(tmp_path):
    path = tmp_path / "x.safetensors"
    arrays.write(path, "features", layers())
    before = path.read_bytes()
    declared = [arrays.Declared("a", "float32", (3, 1), {}), arrays.Declared("b", "float32", (3, 1), {})]
    with (
        pytest.raises(ValueError, match="only 1 of 2"),
        arrays.Writer(path, "features", IDS, declared, {}) as writer,
    ):
        writer.write(np.zeros((3, 1), "float32"))
    with pytest.raises(RuntimeError), arrays.Writer(path, "features", IDS, declared, {}):
        raise RuntimeError
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["x.safetensors"]


def test_an_array_that_is_not_the_declared_one_is_refused(tmp_path):
    declared = [arrays.Declared("a", "float32", (3, 1), {})]
    with (
        pytest.raises(ValueError, match="not the declared"),
        arrays.Writer(tmp_path / "x", "features", IDS, declared, {}) as writer,
    ):
        writer.write(np.zeros((3, 1), "float64"))


def test_wrong_files_are_one_sentence(tmp_path):
    good = tmp_path / "good.safetensors"
    arrays.write(good, "features", layers())
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(good.read_bytes()[:-5])
    foreign = tmp_path / "foreign.safetensors"
    safetensors.numpy.save_file({"a": np.zeros(3)}, foreign)
    for path, sentence in [
        (tmp_path / "none.safetensors", "is missing"),
        (cut, "not a whole safetensors file"),
        (foreign, "not a container of homoplasy"),
    ]:
        with pytest.raises(BadData, match=sentence):
            arrays.Container(path, "features")
    with pytest.raises(BadData, match="expected a container of patterns, found one of features"):
        arrays.Container(good, "patterns")
    with pytest.raises(BadData, match="has no array 'layer3'.*Nearest"):
        arrays.Container(good, "features")["layer3"]


def test_an_unknown_format_version_says_so(tmp_path):
    path = tmp_path / "x.safetensors"
    arrays.write(path, "features", layers())
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8 : 8 + size])
    about = json.loads(header["__metadata__"]["homoplasy"]) | {"format": 99}
    header["__metadata__"]["homoplasy"] = json.dumps(about)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + raw[8 + size :])
    with pytest.raises(BadData, match="container format 99; this version reads format 1"):
        arrays.Container(path, "features")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"facts": None}, "no kind or no facts"),
        ({"stimulus_ids": [1, "a", 3]}, "stimulus_ids are not a list"),
        ({"order": ["layer1"]}, "order and arrays name different things"),
        ({"order": ["a"], "arrays": {"a": {"facts": {}, "unit_ids": None}}}, "other arrays than there are"),
        ({"arrays": {"layer1": {}, "layer2": {"facts": {}, "unit_ids": 3}}}, "no facts or no list of units"),
        ({"facts": {"shared": [1, [2]]}}, "shared are not a list"),
        ({"facts": {"model": 3}}, "'model' is 3"),
        (
            {"arrays": {name: {"facts": {"depth": "1"}, "unit_ids": None} for name in ("layer1", "layer2")}},
            "'depth' is",
        ),
    ],
)
def test_metadata_that_do_not_describe_the_arrays_are_refused(tmp_path, change, sentence):
    path = tmp_path / "x.safetensors"
    arrays.write(path, "features", layers(), {"model": "m"})
    values = safetensors.numpy.load_file(path)
    with safetensors.safe_open(path, framework="numpy") as file:
        about = json.loads(file.metadata()["homoplasy"])
    safetensors.numpy.save_file(values, path, {"homoplasy": json.dumps(about | change)})
    with pytest.raises(BadData, match=sentence):
        arrays.Container(path, "features")


def test_a_fact_that_is_asked_for_and_is_not_there_is_one_sentence(tmp_path):
    path = tmp_path / "x.safetensors"
    arrays.write(path, "features", [Representation(np.ones((2, 1)), np.arange(2), "a", facts={"depth": 1.0})])
    container = arrays.Container(path, "features")
    for facts in (container.facts, container.array_facts("a"), container["a"].facts):
        with pytest.raises(BadData, match="does not say its 'left'; delete it and run dvc repro"):
            facts["left"]
        assert facts.get("left") is None
