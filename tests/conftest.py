"""What every test shares: no network but this machine's own, few threads, the real reference data."""

import ipaddress
import os
import socket
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# a law holds or not, however busy the machine is; the same examples in every run
settings.register_profile("homoplasy", deadline=None, derandomize=True)
settings.load_profile("homoplasy")


# what the files of these folders share is dear to make: one worker has them all, and no other waits for it
TOGETHER = ("tests/datasets/pocket/", "tests/docs/", "tests/report/", "tests/e2e/test_re")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Hand out tests file by file, and some folders as one."""
    from xdist.scheduler import LoadFileScheduling

    class ByFolder(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = super()._split_scope(nodeid)
            return next((folder for folder in TOGETHER if path.startswith(folder)), path)

    return ByFolder(config, log)


@pytest.fixture(autouse=True)
def _only_this_machine(monkeypatch):
    """Refuse every connection that would leave the loopback interface."""
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _local(address[0]):
            raise AssertionError(f"a test tried to reach {address[0]}; tests use this machine only")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


def _local(host: str) -> bool:
    if host in {"localhost", ""}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session")
def reference() -> Path:
    """Real data and published numbers, where they lie beside the checkout."""
    folder = Path(os.environ.get("HOMOPLASY_REFERENCE") or ROOT.parent / "shared" / "reference")
    if not folder.is_dir():
        pytest.skip(f"the reference data are not there ({folder})")
    return folder
