"""Results through an S3 bucket with signed requests: pushed, pulled, shared; no raw data, no damaged file."""

import json
import subprocess
import time

import pytest

from tests.e2e import checkout as checkouts
from tests.e2e import server as servers

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with the bucket `results`."""
    found = servers.serve(tmp_path_factory.mktemp("server"))
    (found.folder / "buckets" / "results").mkdir()
    yield found
    found.stop()


def pointed(checkout, bucket="results"):
    """Do what the README says: point the remote at a bucket."""
    checkout.dvc("remote", "modify", "--local", "results", "url", f"s3://{bucket}/homoplasy")
    return checkout


@pytest.fixture(scope="module")
def first(server, finished, tmp_path_factory):
    """The checkout of somebody who ran everything and pushed it."""
    made = pointed(finished.copy(tmp_path_factory.mktemp("first") / "checkout", **server.variables))
    made.dvc("push", "--run-cache")
    return made


@pytest.fixture(scope="module")
def second(first, tmp_path_factory):
    """A colleague, who cloned and pulled."""
    made = pointed(first.clone(tmp_path_factory.mktemp("second") / "checkout"))
    made.dvc("pull", "--run-cache", "--allow-missing")
    return made


def hashes(checkout, *outputs):
    """The names under which the cache holds some outputs: of the folders and of every file in them."""
    lock = checkout.lock()
    found = {md5 for outs in lock.values() for path, md5 in outs.items() if path in outputs}
    for folder in list(found):
        listed = checkout.root / ".dvc/cache/files/md5" / folder[:2] / folder[2:]
        found |= {one["md5"] for one in json.loads(listed.read_text())}
    return found


def names(server, bucket="results"):
    return {path.parent.name + path.name for path in server.objects(bucket)}


def test_raw_data_and_voxels_are_never_in_the_bucket(first, server):
    given, there = hashes(first, "data/features", "data/scores"), names(server)
    given |= hashes(first, "data/open")
    kept = hashes(first, "data/raw", "data/brain/voxels") - given  # the planted features are both
    assert first.lock()["parcellate"]["data/brain/stimuli.parquet"] not in there
    assert len(kept) > 30
    assert not kept & there
    assert given <= there


def test_a_fresh_clone_pulls_and_runs_nothing(second):
    assert not (second.root / "data/raw").exists()
    assert [path.name for path in (second.root / "data/brain").iterdir()] == ["regions.parquet"]
    assert checkouts.ran(second.dvc("repro", "--allow-missing")) == []
    assert (second.root / "reports/index.html").is_file()


def test_a_colleague_without_raw_data_changes_a_parameter_and_the_report_comes_back(first, second):
    params = second.root / "params.yaml"
    for key, value in {"taxonomy.depth_bins": "4", "stats.top_share": "0.1", "report.about": "Another share."}.items():
        params.write_text(checkouts.with_knob(params.read_text(), key, value))
    after = ["stats", "taxonomy", "multiverse", "claims", "report"]
    assert sorted(checkouts.ran(second.dvc("repro", "--allow-missing"))) == sorted(after)
    assert "Another share." in (second.root / "reports/index.html").read_text()
    assert not (second.root / "data/raw").exists()
    second.commit("another share")
    second.dvc("push")
    first.run("git", "pull", "-q", "--no-rebase", str(second.root), "main")
    first.dvc("pull", "--allow-missing")
    assert checkouts.ran(first.dvc("repro")) == []
    assert "Another share." in (first.root / "reports/index.html").read_text()


def test_a_damaged_object_is_not_taken_and_is_named(first, server, tmp_path):
    md5 = first.lock()["train"]["settings/train.yaml"]
    path = next(path for path in server.objects("results") if path.parent.name + path.name == md5)
    sound = path.read_bytes()
    path.write_bytes(bytes([sound[0] ^ 1]) + sound[1:])
    try:
        other = pointed(first.clone(tmp_path / "clone"))
        said = other.dvc("pull", "settings/train.yaml", "settings/cka.yaml", expected=1)
    finally:
        path.write_bytes(sound)
    assert "Checkout failed for following targets:\nsettings/train.yaml\n" in said
    assert not (other.root / "settings/train.yaml").exists()
    assert (other.root / "settings/cka.yaml").is_file()
    other.dvc("pull", "settings/train.yaml")


def test_a_server_that_dies_in_the_middle_of_a_push_costs_a_second_push(first, server, tmp_path):
    (server.folder / "buckets" / "other").mkdir()
    pushing = pointed(first.clone(tmp_path / "pushing"), "other")
    pushing.dvc("cache", "dir", "--local", str(first.root / ".dvc/cache"))
    child = subprocess.Popen(
        ["dvc", "push"],
        cwd=pushing.root,
        env=checkouts.environment() | server.variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while len(server.objects("other")) < 20 and child.poll() is None:
        time.sleep(0.05)
    server.stop()
    said, _ = child.communicate(timeout=120)
    partly = len(server.objects("other"))
    server.start()
    assert child.returncode != 0, said
    pushing.dvc("push")
    assert partly < len(server.objects("other"))
    other = pointed(pushing.clone(tmp_path / "clone"), "other")
    other.dvc("pull", "--allow-missing", "data/features")
    assert hashes(first, "data/features") <= names(server, "other")


def test_a_wrong_secret_is_refused(first, server, tmp_path):
    wrong = checkouts.Checkout(
        first.clone(tmp_path / "clone").root, server.variables | {"AWS_SECRET_ACCESS_KEY": "x" * 40}
    )
    said = pointed(wrong).dvc("pull", "settings/train.yaml", expected=1)
    assert "Forbidden" in said
    assert "Traceback" not in said
