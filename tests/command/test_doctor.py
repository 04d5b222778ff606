"""homoplasy doctor: each line alone, on a checkout of its own, then the whole with its exit code."""

import errno
import json
import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from dvc.repo import Repo

from homoplasy.command import _disk, _machine, _outside
from homoplasy.command._line import Here
from homoplasy.models import _torchvision
from tests.conftest import ROOT
from tests.datasets.conftest import endpoint, s3, serve

__all__ = ["endpoint", "s3", "serve"]
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")  # DVC's own, of a package it uses


@pytest.fixture
def here(choices, monkeypatch):
    """A checkout of the world pocket."""
    for name in ("DVC_ROOT", "HOMOPLASY_EXECUTOR", "HOMOPLASY_DEVICE", "HOMOPLASY_MEMORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(choices.parent)
    monkeypatch.setenv("HOMOPLASY_STORE", str(choices.parent / "store"))
    shutil.copy(ROOT / "requirements.lock", choices.parent)
    subprocess.run(["git", "init", "-q", "."], check=True)
    Repo.init().close()
    return Here(choices.parent, "pocket")


def configure(here, **settings):
    """Name a remote."""
    lines = "".join(f"    {key} = {value}\n" for key, value in settings.items())
    (here.root / ".dvc" / "config").write_text(f"[core]\n    remote = results\n['remote \"results\"']\n{lines}")


def test_the_python_that_runs_is_named():
    assert _machine.python().state in {"ok", "note"}
    assert ".".join(map(str, sys.version_info[:3])) in _machine.python().says


def test_packages_are_held_against_the_lock(here):
    lock = here.root / "requirements.lock"
    lock.write_text("numpy==1.0\nnot-installed-here==1.0\npandas==1.0 ; python_version < '3'\n")
    line = _machine.packages(here)
    assert line.state == "note"
    assert line.says.startswith("other than requirements.lock says: numpy ")
    assert "pandas" not in line.says
    assert line.do.startswith("pip install -c requirements.lock")
    lock.write_text(f"torch=={torch.__version__.partition('+')[0]}\n")
    assert _machine.packages(here).state == "ok"  # a local build of that version is that version
    lock.write_text("what is this\n")
    assert _machine.packages(here).do == "git checkout requirements.lock"


def test_a_package_that_must_be_there_and_is_not_is_wrong(here, monkeypatch):
    monkeypatch.setattr(_machine.importlib.metadata, "requires", lambda _: ["nowhere>=1", "no; extra == 'x'"])
    line = _machine.packages(here)
    assert (line.state, line.says) == ("wrong", "nowhere not installed")


def test_a_device_that_is_not_here_is_wrong(monkeypatch):
    monkeypatch.setenv("HOMOPLASY_DEVICE", "abacus")
    assert _machine.torch_().state == "wrong"
    monkeypatch.setenv("HOMOPLASY_DEVICE", "cpu")
    assert "networks run on cpu" in _machine.torch_().says


def test_torchvision_of_another_torch_is_mended(monkeypatch):
    monkeypatch.setattr(_torchvision, "ensure", lambda: True)
    assert "declared here" in _machine.torchvision().says

    def refuse(name):
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(_machine.importlib, "import_module", refuse)
    assert _machine.torchvision().state == "wrong"


def test_numba_that_cannot_keep_what_it_compiles_is_a_note(monkeypatch):
    assert _machine.numba().state == "ok"
    monkeypatch.setattr(_machine, "closed", lambda folder: "Read-only file system")
    assert "every process compiles anew" in _machine.numba().says


@pytest.mark.parametrize(
    ("total", "world", "allowed", "state"),
    [
        (64e9, "nsd", "8GB", "ok"),
        (6e9, "pocket", "8GB", "note"),
        (3e9, "nsd", "2GB", "wrong"),
        (6e9, "pocket", "a lot", "wrong"),
    ],
)
def test_memory_against_what_the_world_and_scoring_take(here, monkeypatch, total, world, allowed, state):
    monkeypatch.setattr(_machine, "available", lambda: total)
    monkeypatch.setenv("HOMOPLASY_MEMORY", allowed)
    assert _machine.memory(Here(here.root, world)).state == state


def test_disk_against_what_the_world_takes(here, monkeypatch):
    monkeypatch.setattr(_disk.shutil, "disk_usage", lambda _: SimpleNamespace(free=50e9))
    assert _disk.disk(here).state == "ok"
    of_nsd = Here(here.root, "nsd")
    here.params.write_text(here.params.read_text().replace("world: pocket", "world: nsd"))
    line = _disk.disk(of_nsd)
    assert line.state == "wrong"
    (here.root / ".dvc" / "config").write_text("[cache]\n    type = hardlink\n")
    # 30,000 volumes of int16 of each of four subjects (2,627,244 voxels in all), and 73,000 pictures; once with links
    assert f"takes about {(2 * 30_000 * 2_627_244 + 73_000 * 425 * 425 * 3) / 1e9:.0f} GB" in _disk.disk(of_nsd).says
    (here.root / "data" / "raw" / "nsd").mkdir(parents=True)
    (here.root / "data" / "raw" / "nsd" / "MANIFEST.json").touch()
    assert _disk.disk(of_nsd).state == "ok"


def test_links_that_would_work_and_are_not_used_are_a_note(here, monkeypatch):
    monkeypatch.setattr(_disk, "_kinds", lambda source, target: ["hardlink"])
    line = _disk.links(here)
    assert (line.state, line.do) == ("note", "dvc config --local cache.type reflink,hardlink,copy")
    (here.root / ".dvc" / "config").write_text("[cache]\n    type = reflink,hardlink,copy\n")
    assert _disk.links(here).state == "ok"
    monkeypatch.setattr(_disk, "_kinds", lambda source, target: [])
    assert "three times" in _disk.links(here).says


def test_hard_links_are_tried(here):
    os.link(here.params, here.root / "linked")  # here they work
    assert "hardlink" in list(_disk._kinds(here.root / ".dvc", here.root))
    assert not list(here.root.glob(".doctor-*"))


def test_a_folder_that_cannot_be_written_is_wrong(here, monkeypatch):
    assert _disk.writing(here).state == "ok"
    monkeypatch.setenv("HOMOPLASY_STORE", "/proc/nowhere")
    line = _disk.writing(here)
    assert (line.state, line.says) == ("wrong", "/proc/nowhere cannot be written (No such file or directory)")


def test_a_disk_that_is_full_or_read_only_is_told_by_every_line(here, monkeypatch):
    def full(**_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_disk.tempfile, "NamedTemporaryFile", full)
    line = _disk.writing(here)
    assert line.state == "wrong"
    assert line.says.endswith(" cannot be written (No space left on device)")
    assert str(here.root / ".dvc" / "cache") in line.says
    assert "could not be tried (No space left on device)" in _disk.links(here).says
    assert not _disk._linked(here)


def test_git_that_does_not_know_its_user_is_a_note(here, monkeypatch):
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    subprocess.run(["git", "config", "user.useConfigOnly", "true"], check=True)
    assert _outside.identity(here).state == "note"
    for key in ("name", "email"):
        subprocess.run(["git", "config", f"user.{key}", "a@example.org"], check=True)
    assert _outside.identity(here).state == "ok"
    monkeypatch.setenv("PATH", str(here.root))
    assert _outside.identity(here).says == "there is no git here"


def test_a_remote_that_is_none_or_a_placeholder_is_a_note(here, tmp_path):
    assert "none is named" in _outside.remote(here).says
    configure(here, url="s3://YOUR-BUCKET/homoplasy")
    assert "is a placeholder" in _outside.remote(here).says
    configure(here, url=tmp_path)
    assert _outside.remote(here).state == "ok"
    configure(here, url="ssh://me:secret@host/path")
    assert _outside.remote(here).says == "ssh://host is not looked at"


def test_a_bucket_that_answers_and_one_that_is_not_there(here, serve, monkeypatch):
    served = serve({"homoplasy/x": b"1"})
    keys = {"access_key_id": "keeper-0123456789", "secret_access_key": "keeper-secret-0123456789"}
    configure(here, url=f"s3://{served.name}/homoplasy", **keys)
    assert _outside.remote(here).state == "ok"
    configure(here, url="s3://no-such-bucket-here", **keys)
    line = _outside.remote(here)
    assert line.state == "wrong"
    assert line.says.startswith(
        "the server has no bucket no-such-bucket-here (NoSuchBucket; the key that ends in 6789 "
    )
    assert line.says.endswith(" is from the settings of the remote (dvc config --list --show-origin))")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert "does not answer (EndpointConnectionError)" in _outside.remote(here).says


def test_keys_that_are_lacking_or_wrong_are_one_sentence(here, endpoint, monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    configure(here, url="s3://bucket/homoplasy")
    line = _outside.remote(here)
    assert (line.state, line.says) == ("wrong", "no credentials were found for bucket (NoCredentialsError)")
    for code in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "403"):
        line = _outside._refusal(code, "bucket", "; the key that ends in 0123 is from AWS_ACCESS_KEY_ID")
        assert line.says.endswith(f"({code}; the key that ends in 0123 is from AWS_ACCESS_KEY_ID)")
        assert line.state == "wrong"
        assert "AWS_ACCESS_KEY_ID" in line.do


def test_the_agreement_is_needed_by_the_world_nsd_alone(here):
    assert _outside.agreement(here).state == "ok"
    of_nsd = Here(here.root, "nsd")
    assert _outside.agreement(of_nsd).state == "wrong"
    (here.root / "local.yaml").write_text("nsd: {accept_terms: true, name: A Reader, date: 2026-01-31}")
    assert _outside.agreement(of_nsd).says == "that of NSD is signed"


SLURM = "execution: {executor: slurm}"


@pytest.mark.parametrize(
    ("local", "there", "code", "state", "said"),
    [
        ("", False, 0, "ok", "there is no SLURM here (sinfo); none is needed"),
        (SLURM, False, 0, "wrong", "there is no SLURM here (sinfo), and the executor is slurm"),
        ("", True, 1, "note", "sinfo fails (out of order)"),
        (SLURM, True, 1, "wrong", "sinfo fails (out of order)"),
        (SLURM, True, 0, "ok", "SLURM answers"),
        ("", True, 0, "ok", "SLURM answers, and is not asked to do anything"),
        ("execution: {executor: cloud}", True, 0, "wrong", "'execution.executor' is 'cloud'"),
    ],
)
def test_a_cluster_is_needed_where_local_yaml_says_so(here, monkeypatch, local, there, code, state, said):
    (here.root / "local.yaml").write_text(local)
    monkeypatch.setattr(_outside.shutil, "which", lambda _: "/usr/bin/sinfo" if there else None)
    ended = subprocess.CompletedProcess((), code, "", "out of order\n")
    monkeypatch.setattr(_outside.subprocess, "run", lambda *_, **__: ended)
    monkeypatch.setattr(_outside.importlib.util, "find_spec", lambda _: True)
    line = _outside.cluster(here)
    assert line.state == state
    assert said in line.says


def test_a_scheduler_that_does_not_answer_and_submitit_that_is_not_there(here, monkeypatch):
    def hangs(*_, **__):
        raise subprocess.TimeoutExpired("sacct", 10)

    monkeypatch.setattr(_outside.subprocess, "run", hangs)
    assert _outside._answer("sacct")[0] == "sacct does not answer (TimeoutExpired)"
    monkeypatch.setattr(_outside.importlib.util, "find_spec", lambda _: None)
    assert _outside._submitit() == ("submitit is not installed", "pip install 'homoplasy[slurm]'")


def test_the_whole_and_its_exit_code(here, call):
    code, out, err = call("doctor")
    assert (code, err) == (0, "")
    names = [line[6:19].strip() for line in out.splitlines() if not line.startswith(" ")]
    assert names[:4] == ["python", "torch", "torchvision", "numba"]
    assert {"packages", "memory", "disk", "writing", "links", "git", "remote", "agreement", "cluster"} == set(names[4:])
    (here.root / "local.yaml").write_text("execution: {executor: cloud}")
    code, out, _ = call("doctor", "--json")
    assert code == 1
    assert [one["what"] for one in json.loads(out) if one["state"] == "wrong"] == ["cluster"]


def test_outside_a_checkout_it_says_so(tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    assert call("doctor")[0] == 2
