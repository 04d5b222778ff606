"""The small world, run once for every test file and every worker."""

import fcntl
import os
from pathlib import Path

import pytest

from tests.e2e import checkout as checkouts


def _shared(factory: pytest.TempPathFactory) -> Path:
    """A folder that the workers of one test run share."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> checkouts.Checkout:
    """A checkout in which `dvc repro` has run, committed; take a copy or a clone of it."""
    shared = _shared(tmp_path_factory)
    at, log = shared / "finished", shared / "finished.log"
    with (shared / "finished.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the first worker runs it, the others wait
        if not log.exists():
            at.mkdir()
            made = checkouts.make(at)
            said = made.dvc("repro")
            made.commit("done")
            log.write_text(said)
    return checkouts.Checkout(at)


@pytest.fixture(scope="session")
def output(finished) -> str:
    """What that run printed."""
    return (finished.root.parent / "finished.log").read_text()
