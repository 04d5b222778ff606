"""A folder against a real S3 server: whole, resumed, verified; every accident ends in one sentence."""

import errno
import json
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from homoplasy.datasets import _download, _manifest, _mirror
from homoplasy.datasets._manifest import MARK, NAME
from homoplasy.datasets._mirror import Own
from homoplasy.errors import BadData, WorkFailed

pytestmark = pytest.mark.s3

REQUEST = {"subjects": [1], "sessions": 2}
ABOUT = ("nsd", REQUEST)
BODIES = {
    "nsddata/design.mat": b"design",
    "nsddata/empty.tsv": b"",
    "nsddata_betas/subj01/betas_session01.hdf5": np.random.default_rng(1).bytes(3_000_000),
    "nsddata_betas/subj01/betas_session02.hdf5": np.random.default_rng(2).bytes(2_500_000),
}
BIG = "nsddata_betas/subj01/betas_session01.hdf5"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr(_download, "PAUSES", (0.0, 0.01))


@pytest.fixture
def served(serve):
    return serve(BODIES)


NOTHING = Own()


def fetch(root, bucket, own=NOTHING, keys=tuple(BODIES), about=ABOUT):
    todo = _mirror.plan(root, bucket, keys, own, about[0])
    return todo if _mirror.settled(root, todo, about) else _mirror.carry_out(todo, root, bucket, about)


def held(root):
    return {key: (root / key).read_bytes() for key in sorted(_manifest.keys(root) - {NAME})}


def test_a_whole_fetch(tmp_path, served, client):
    made = fetch(tmp_path, client(served.name))
    assert held(tmp_path) == BODIES
    assert _manifest.read(tmp_path) == made
    assert made.request == REQUEST
    assert made.files[BIG].etag == served.client.head_object(Bucket=served.name, Key=BIG)["ETag"]


def test_two_fetches_give_the_same_bytes(tmp_path, served, client):
    fetch(tmp_path / "one", client(served.name))
    fetch(tmp_path / "two", client(served.name))
    assert (tmp_path / "one" / NAME).read_bytes() == (tmp_path / "two" / NAME).read_bytes()


def test_a_second_fetch_asks_the_server_nothing(tmp_path, served, client, line):
    fetch(tmp_path, client(served.name))
    bad = line()
    todo = fetch(tmp_path, client(served.name))
    assert (todo.missing, todo.to_come, bad.relayed) == (0, 0, 0)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"x" * 3_000_000),
        lambda path: path.write_bytes(b"short"),
        lambda path: path.unlink(),
    ],
    ids=["other bytes", "short", "missing"],
)
def test_only_what_is_damaged_is_fetched_again(tmp_path, served, client, line, damage):
    fetch(tmp_path, client(served.name))
    damage(tmp_path / BIG)
    bad = line()
    fetch(tmp_path, client(served.name))
    assert held(tmp_path) == BODIES
    assert 3_000_000 < bad.relayed < 3_010_000


def test_strays_go_and_only_from_this_folder(tmp_path, served, client):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine").touch()
    fetch(tmp_path / "nsd", client(served.name))
    (tmp_path / "nsd" / "nsddata" / "stray").touch()
    fetch(tmp_path / "nsd", client(served.name))
    assert held(tmp_path / "nsd") == BODIES
    assert (tmp_path / "other" / "mine").exists()


def test_a_smaller_request_keeps_what_it_needs_and_fetches_nothing(tmp_path, served, client, line):
    fetch(tmp_path, client(served.name))
    bad = line()
    smaller = ("nsd", REQUEST | {"sessions": 1})
    fetch(tmp_path, client(served.name), keys=tuple(BODIES)[:3], about=smaller)
    assert held(tmp_path) == {key: BODIES[key] for key in tuple(BODIES)[:3]}
    assert _manifest.read(tmp_path).request["sessions"] == 1
    assert bad.relayed == 0


def test_a_folder_of_somebody_else_is_not_touched(tmp_path, served, client):
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(BadData, match="fetch did not make it"):
        fetch(tmp_path, client(served.name))
    assert _manifest.keys(tmp_path) == {"photo.jpg"}


def test_a_line_that_is_cut_again_and_again_is_resumed(tmp_path, served, client, line):
    bad = line(cut=400_000)
    fetch(tmp_path, client(served.name))
    assert held(tmp_path) == BODIES
    assert bad.relayed < 5_500_000 * 1.5, "each new try goes on where the last one ended"


def test_a_transfer_that_never_moves_is_given_up_and_what_arrived_is_kept(tmp_path, served, client, line):
    bucket = client(served.name)
    todo = _mirror.plan(tmp_path, bucket, tuple(BODIES), NOTHING, "nsd")
    line(cut=150)  # not even the headers
    with pytest.raises(WorkFailed, match=r"stops after \d+ of \d+ bytes .*run dvc repro fetch again"):
        _mirror.carry_out(todo, tmp_path, client(served.name), ABOUT)
    assert _manifest.find(tmp_path) is None
    assert (tmp_path / MARK).exists()


def test_a_slow_server_is_waited_for(tmp_path, served, client, line):
    line(rate=4_000_000.0)
    fetch(tmp_path, client(served.name, timeout=1.0))
    assert held(tmp_path) == BODIES


def test_a_server_that_falls_silent_is_tried_again(tmp_path, served, client, line):
    bad = line(rate=8_000_000.0)

    def fall_silent():
        while bad.relayed < 2_000_000:
            time.sleep(0.005)
        bad.silent = True
        time.sleep(0.5)
        bad.silent = False

    threading.Thread(target=fall_silent).start()
    fetch(tmp_path, client(served.name, timeout=0.3))
    assert held(tmp_path) == BODIES


def test_files_of_another_data_set_are_not_taken_for_ours(tmp_path, served, client):
    with _manifest.filling(tmp_path, "pocket", REQUEST):
        (tmp_path / "nsddata").mkdir()
        (tmp_path / "nsddata" / "design.mat").write_bytes(b"pocket")
    fetch(tmp_path, client(served.name))
    assert held(tmp_path) == BODIES


def test_a_part_of_this_version_is_continued(tmp_path, served, client, line):
    bucket = client(served.name)
    (remote,) = _mirror.plan(tmp_path, bucket, [BIG], NOTHING, "nsd").remotes
    _manifest.claim(tmp_path)
    _download.Journal(tmp_path).begin(remote)
    part = tmp_path / f"{BIG}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(BODIES[BIG][:2_900_000])
    bad = line()
    todo = _mirror.plan(tmp_path, client(served.name), [BIG], NOTHING, "nsd")
    assert todo.to_come == 100_000
    _mirror.carry_out(todo, tmp_path, client(served.name), ABOUT)
    assert held(tmp_path) == {BIG: BODIES[BIG]}
    assert bad.relayed < 105_000


def test_a_part_of_an_older_version_is_thrown_away(tmp_path, served, client):
    bucket = client(served.name)
    (remote,) = _mirror.plan(tmp_path, bucket, [BIG], NOTHING, "nsd").remotes
    _manifest.claim(tmp_path)
    _download.Journal(tmp_path).begin(remote)
    (tmp_path / BIG).parent.mkdir(parents=True)
    (tmp_path / f"{BIG}.part").write_bytes(BODIES[BIG][:1_000_000])
    newer = np.random.default_rng(3).bytes(3_000_000)
    served.put(BIG, newer)
    fetch(tmp_path, bucket, keys=[BIG])
    assert held(tmp_path) == {BIG: newer}


def test_an_object_that_changes_while_it_is_fetched_stops_the_run(tmp_path, served, client):
    bucket = client(served.name)
    todo = _mirror.plan(tmp_path, bucket, tuple(BODIES), NOTHING, "nsd")
    served.put(BIG, b"another")
    with pytest.raises(WorkFailed, match="changed while it was being fetched; run dvc repro fetch again"):
        _mirror.carry_out(todo, tmp_path, bucket, ABOUT)
    assert not (tmp_path / f"{BIG}.part").exists()
    fetch(tmp_path, bucket)
    assert held(tmp_path) == BODIES | {BIG: b"another"}


def test_an_object_truncated_since_the_first_fetch_stops_the_run(tmp_path, served, client):
    fetch(tmp_path, client(served.name))
    before = (tmp_path / NAME).read_bytes()
    (tmp_path / BIG).unlink()
    served.put(BIG, BODIES[BIG][:-1])
    with pytest.raises(WorkFailed, match=r"expected 3000000 bytes, ETag .*, the bucket has 2999999 bytes"):
        fetch(tmp_path, client(served.name))
    assert (tmp_path / NAME).read_bytes() == before


def test_a_part_damaged_on_this_disk_is_found_by_its_checksum(tmp_path, served, client):
    bucket = client(served.name)
    (remote,) = _mirror.plan(tmp_path, bucket, [BIG], NOTHING, "nsd").remotes
    _manifest.claim(tmp_path)
    _download.Journal(tmp_path).begin(remote)
    (tmp_path / BIG).parent.mkdir(parents=True)
    (tmp_path / f"{BIG}.part").write_bytes(b"rubbish")
    with pytest.raises(WorkFailed, match=r"arrived damaged: expected MD5 [0-9a-f]{32}, found [0-9a-f]{32}; it was rem"):
        fetch(tmp_path, bucket, keys=[BIG])
    assert not (tmp_path / f"{BIG}.part").exists()
    fetch(tmp_path, bucket, keys=[BIG])
    assert held(tmp_path) == {BIG: BODIES[BIG]}


def test_the_hash_of_the_first_fetch_is_held_to(tmp_path, served, client):
    """The ETag says nothing of the bytes of an object in parts; the SHA-256 of the first fetch does."""
    fetch(tmp_path, client(served.name))
    about = json.loads((tmp_path / NAME).read_text())
    about["files"][BIG]["sha256"] = "0" * 64
    (tmp_path / NAME).write_text(json.dumps(about))
    with pytest.raises(WorkFailed, match=f"expected SHA-256 {'0' * 64}, found"):
        fetch(tmp_path, client(served.name))


def test_a_refused_object_stops_the_run_before_it_starts(tmp_path, served, client):
    served.put(BIG, b"x", acl="private")
    with pytest.raises(WorkFailed, match=r"\(403\); check fetch\.bucket and fetch\.anonymous"):
        fetch(tmp_path / "raw", client(served.name))
    assert not (tmp_path / "raw").exists()


def test_too_small_a_disk_is_seen_before_the_first_byte(tmp_path, served, client, monkeypatch):
    monkeypatch.setattr(_mirror, "_free", lambda root: 1_000_000)
    with pytest.raises(
        WorkFailed, match=r"the disk is too small: 4 of 4 files to fetch into .*, 5\.5 MB; 1 MB are free"
    ):
        fetch(tmp_path / "raw", client(served.name))
    assert not (tmp_path / "raw").exists()


def test_a_disk_that_fills_up_is_one_sentence_and_the_rest_comes_later(tmp_path, served, client, monkeypatch):
    """A real file system of 2 MB where this machine lets us mount one."""
    root = tmp_path / "small"
    root.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", root], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        with pytest.raises(WorkFailed, match="the disk is too small"):
            fetch(root, client(served.name))
        monkeypatch.setattr(_mirror, "_free", lambda root: 1 << 40)
        with pytest.raises(WorkFailed, match=r"No space left on device\); make room, then run dvc repro fetch again"):
            fetch(root, client(served.name))
        assert not (root / NAME).exists()
        subprocess.run(["mount", "-o", "remount,size=20m", root], check=True)
        assert _mirror.plan(root, client(served.name), tuple(BODIES), NOTHING, "nsd").to_come < 5_000_000
        fetch(root, client(served.name))
        assert held(root) == BODIES
    finally:
        subprocess.run(["umount", root], check=True)


def test_a_write_that_fails_is_one_sentence(tmp_path, served, client, monkeypatch):
    def full(part, *rest):
        raise OSError(errno.ENOSPC, "No space left on device", str(part))

    monkeypatch.setattr(_download.Download, "_append", lambda self, part, *rest: full(part))
    with pytest.raises(WorkFailed, match=r"No space left on device\); make room"):
        fetch(tmp_path, client(served.name))


def test_a_torn_journal_line_costs_nothing(tmp_path, served, client):
    bucket = client(served.name)
    todo = _mirror.plan(tmp_path, bucket, [BIG], NOTHING, "nsd")
    _manifest.claim(tmp_path)
    _download.Download(bucket, tmp_path).run(todo.remotes, {})
    with (tmp_path / MARK).open("a") as file:
        file.write('\n{"key": "nsdd')
    again = _mirror.plan(tmp_path, bucket, tuple(BODIES), NOTHING, "nsd")
    assert again.whole == {BIG}
    _mirror.carry_out(again, tmp_path, bucket, ABOUT)
    assert held(tmp_path) == BODIES


CAPTIONS = "nsddata_stimuli/stimuli/nsd/annotations/captions_val2017.json"


def test_what_is_welcome_is_taken_where_the_bucket_has_it_and_not_missed_where_it_has_not(tmp_path, served, client):
    needed = [key for key in BODIES if key != BIG]
    made = fetch(tmp_path, client(served.name), Own(welcome=[BIG, "nsddata/labels.mgz"]), needed)
    assert held(tmp_path) == BODIES
    assert set(made.files) == set(BODIES)
    todo = fetch(tmp_path, client(served.name), Own(welcome=[BIG, "nsddata/labels.mgz"]), needed)
    assert (todo.missing, len(todo.whole)) == (0, len(BODIES))


def test_captions_come_from_the_bucket_or_from_the_user(tmp_path, served, client):
    own = Own((CAPTIONS,), None, "unpack the archive and name its folder.")
    keys = (*BODIES, CAPTIONS)
    with pytest.raises(WorkFailed, match=r"neither the bucket holds '.*val2017\.json' nor a folder of yours: unpack"):
        fetch(tmp_path / "raw", client(served.name), own, keys)
    folder = tmp_path / "coco"
    folder.mkdir()
    own = Own((CAPTIONS,), folder, "unpack the archive and name its folder.")
    with pytest.raises(WorkFailed, match=r"nor .*coco/captions_val2017\.json: unpack"):
        fetch(tmp_path / "raw", client(served.name), own, keys)
    (folder / "captions_val2017.json").write_text("{}")
    made = fetch(tmp_path / "raw", client(served.name), own, keys)
    assert (tmp_path / "raw" / CAPTIONS).read_text() == "{}"
    assert made.files[CAPTIONS].etag is None
    served.put(CAPTIONS, b"{ }")
    assert fetch(tmp_path / "two", client(served.name), own, keys).files[CAPTIONS].size == 3


def test_the_users_tables_are_copied_again_when_they_change_and_go_when_they_are_named_no_more(
    tmp_path, served, client
):
    table = tmp_path / "results-imagenet.csv"
    table.write_text("one")
    own = Own(extra={"performance/results-imagenet.csv": table})
    fetch(tmp_path / "raw", client(served.name), own)
    assert held(tmp_path / "raw") == {**BODIES, "performance/results-imagenet.csv": b"one"}
    table.write_text("two")
    assert fetch(tmp_path / "raw", client(served.name), own).files["performance/results-imagenet.csv"].size == 3
    assert held(tmp_path / "raw")["performance/results-imagenet.csv"] == b"two"
    assert fetch(tmp_path / "raw", client(served.name), own).missing == 0
    fetch(tmp_path / "raw", client(served.name))
    assert held(tmp_path / "raw") == BODIES


def test_a_manifest_that_points_outside_stops_the_run(tmp_path, served, client):
    root = tmp_path / "raw"
    fetch(root, client(served.name))
    about = json.loads((root / NAME).read_text())
    about["files"]["../../precious"] = about["files"][BIG]
    (root / NAME).write_text(json.dumps(about))
    (tmp_path / "precious").write_text("mine")
    with pytest.raises(BadData, match="points outside the data folder"):
        fetch(root, client(served.name))
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_bucket_key_that_points_outside_is_refused(tmp_path, served, client):
    served.put("../precious", b"x")
    with pytest.raises(BadData, match="points outside the data folder"):
        fetch(tmp_path / "raw", client(served.name), keys=["../precious"])
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_the_way_is_refused(tmp_path, served, client):
    root = tmp_path / "raw"
    fetch(root, client(served.name))
    (root / BIG).unlink()
    (root / BIG).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadData, match="is a symbolic link"):
        fetch(root, client(served.name))
    assert not (tmp_path / "elsewhere").exists()


def test_the_plan_lists_sizes(tmp_path, served, client):
    todo = _mirror.plan(Path(tmp_path), client(served.name), tuple(BODIES), NOTHING, "nsd")
    assert todo.lines()[2] == f"      3 MB  {BIG}"
    assert todo.summary(tmp_path).startswith(f"4 of 4 files to fetch into {tmp_path}, 5.5 MB; ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("size", "words"), [(0, "0 bytes"), (999, "999 bytes"), (1_050_000_000, "1.05 GB")])
def test_sizes_are_spoken(size, words):
    assert _mirror.spoken(size) == words
