"""What can go wrong on the way to the hub, one sentence each."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub import errors

from homoplasy.errors import WorkFailed
from homoplasy.models import _hub


def answer(status):
    return SimpleNamespace(status_code=status, headers={}, request="GET https://localhost/file?token=secret")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (errors.GatedRepoError("x", response=answer(403)), "'a/b' is gated: accept its licence at"),
        (errors.RepositoryNotFoundError("x", response=answer(404)), "has no 'a/b', or it is private"),
        (errors.RevisionNotFoundError("x", response=answer(404)), "'a/b' has no revision 'v1'"),
        (errors.RemoteEntryNotFoundError("x", response=answer(404)), "'a/b' has no file 'f'"),
        (errors.LocalEntryNotFoundError("x"), "is not in the local cache"),
        (errors.OfflineModeIsEnabled("x"), "is not in the local cache"),
        (errors.HfHubHTTPError("x", response=answer(503)), "answered 503 for 'a/b'"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_fault_is_one_sentence_without_addresses_that_hold_secrets(monkeypatch, fault, words):
    def fail(*_, **__):
        raise fault

    monkeypatch.setattr(_hub, "hf_hub_download", fail)
    with pytest.raises(WorkFailed, match=words) as raised:
        _hub.file("a/b", "f", "v1")
    assert "secret" not in str(raised.value)


def test_the_commit_is_read_from_the_path():
    path = Path("/cache/models--a--b/snapshots/0123abcd/sub/config.json")
    assert _hub.commit(path) == "0123abcd"
