"""Weights on disk: what was written comes back, in the same bytes, or with one sentence."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from homoplasy.errors import BadData
from homoplasy.store import weights

STATE = {"b": np.ones((2, 3), np.float32), "a": np.array(7, np.int64), "c": np.zeros((0, 2), np.float32)}


def test_it_comes_back(tmp_path):
    weights.write(tmp_path / "w.safetensors", STATE, {"seed": 1, "name": "x"})
    config, state = weights.read(tmp_path / "w.safetensors")
    assert config == {"seed": 1, "name": "x"}
    assert {name: (one.dtype, one.shape) for name, one in state.items()} == {
        name: (one.dtype, one.shape) for name, one in STATE.items()
    }
    assert all(np.array_equal(state[name], STATE[name]) for name in STATE)


def test_the_order_of_names_does_not_change_the_bytes(tmp_path):
    weights.write(tmp_path / "1", STATE, {"x": 1, "y": 2})
    weights.write(tmp_path / "2", dict(reversed(STATE.items())), {"y": 2, "x": 1})
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_faults_are_one_sentence(tmp_path):
    with pytest.raises(BadData, match="is missing; run the stage"):
        weights.read(tmp_path / "absent")
    (tmp_path / "cut").write_bytes(b"12345")
    with pytest.raises(BadData, match="not a whole safetensors file"):
        weights.read(tmp_path / "cut")
    save_file({"a": np.ones(2, np.float32)}, tmp_path / "foreign")
    with pytest.raises(BadData, match="expected weights in format 1, found 'None'"):
        weights.read(tmp_path / "foreign")
