"""Sealed replay: no network, a fresh clone and the cache; what is computed again comes out the same."""

import os
import shutil

import numpy as np
import pytest

from tests.e2e import checkout as checkouts
from tests.e2e import golden, replay

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def sealed(finished, tmp_path_factory):
    """A fresh clone with the cache of the first, without a network, with an empty store."""
    made = replay.sealed(finished, tmp_path_factory.mktemp("sealed"))
    made.dvc("checkout")
    return made


def test_there_is_no_network(sealed):
    probe = "import socket; socket.create_connection(('127.0.0.1', 9), 1)"
    said = sealed.run("python", "-c", probe, expected=1)
    assert "unreachable" in said or "sealed" in said or "refused" in said


def test_the_cache_is_enough(sealed, finished):
    assert checkouts.ran(sealed.dvc("repro")) == []
    assert sealed.lock() == finished.lock()


@pytest.mark.parametrize("stage", ["parcellate", "taxonomy", "claims"])
def test_a_stage_that_is_forced_writes_the_same_bytes_on_other_threads(sealed, finished, stage):
    threads = sealed.variables | {"OMP_NUM_THREADS": "2" if os.environ.get("OMP_NUM_THREADS") == "1" else "1"}
    other = checkouts.Checkout(sealed.root, threads, sealed.prefix)
    assert checkouts.ran(other.dvc("repro", "--force", "--single-item", stage)) == [stage]
    assert sealed.lock() == finished.lock()


def test_one_byte_of_an_input_runs_its_descendants_and_nothing_else(sealed):
    path = sealed.root / "claims" / "convergence.yaml"
    before = path.read_bytes()
    path.write_bytes(before.replace(b"Scales", b"scales", 1))
    assert checkouts.ran(sealed.dvc("repro", "claims")) == ["claims"]
    assert "report:" in sealed.dvc("status", "report")
    path.write_bytes(before)
    assert checkouts.ran(sealed.dvc("repro")) == []


def test_a_stale_feature_file_under_a_right_name_is_refused_by_its_digest(sealed, finished):
    one, two = sorted((sealed.root / "data/features/planted").glob("*.safetensors"))[:2]
    sound = two.read_bytes()
    two.unlink()
    shutil.copyfile(one, two)
    said = sealed.dvc("repro")
    assert checkouts.ran(said) == [], "what extract made is checked out of the cache again"
    assert two.read_bytes() == sound
    assert sealed.lock() == finished.lock()


def test_the_scores_are_those_that_were_recorded(finished):
    recorded = golden.recorded()
    found = golden.means(finished.root).reindex(recorded.index)
    assert len(recorded) > 100
    assert np.allclose(found, recorded, atol=golden.TOLERANCE, rtol=0), (
        "if the numbers are meant to change: python -m tests.e2e.golden CHECKOUT, with one of the small world"
    )
