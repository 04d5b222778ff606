"""fetch, as a stage: the three worlds, a kill at any moment, and every refusal in one sentence."""

import itertools
import json
import os
import subprocess
import sys
import time
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
import yaml

from homoplasy.datasets import _download, _manifest, nsd, pocket, published
from homoplasy.datasets.nsd import keys
from homoplasy.datasets.performance import known
from homoplasy.datasets.pocket import sizes
from homoplasy.errors import BadRequest, WorkFailed
from homoplasy.stages import fetch
from homoplasy.store import arrays
from tests.conftest import ROOT

SMALL = {"fetch": {"subjects": [1], "sessions": 2}, "pocket": {"truth": "short", "seed": 7}}
SIGNED = "nsd: {accept_terms: true, name: Ada Lovelace, date: 2025-01-31}"


@pytest.fixture(autouse=True)
def _this_checkout(monkeypatch):
    monkeypatch.delenv("DVC_ROOT", raising=False)


def choose(params, world, **sections):
    given = yaml.safe_load(params.read_text()) | {"world": world}
    for section, values in sections.items():
        given[section] |= values
    params.write_text(yaml.safe_dump(given))


def run(params):
    root = params.parent
    fetch.main(params, root / "raw", ROOT / "data" / "published", root / "open", root / "settings" / "fetch.yaml")


def start(params):
    """The stage as dvc runs it, in a process of its own that can be killed."""
    root = params.parent
    paths = {"params": params, "raw": root / "raw", "printed": ROOT / "data/published"}
    paths |= {"open-data": root / "open", "record": root / "fetch.yaml"}
    words = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
    return subprocess.Popen([sys.executable, "-m", "homoplasy.stages.fetch", *words], stderr=subprocess.DEVNULL)


def kill_when(process, ready, seconds=60):
    """Kill -9 as soon as something is there."""
    end = time.monotonic() + seconds
    try:
        while not ready() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.005)
        assert process.poll() is None, "it ended before it could be killed"
    finally:
        process.kill()
        process.wait()


def held(root):
    return {key: _manifest.digest(root / key) for key in _manifest.keys(root)}


@pytest.fixture(scope="module")
def small_pocket(tmp_path_factory):
    """One generated world that several tests look at, and none changes."""
    root = tmp_path_factory.mktemp("pocket") / "raw"
    trials = {"beta_version": keys.BETA_VERSIONS[2], "beta_format": "hdf5"}
    with _manifest.filling(root, "pocket", {}):
        assert list(pocket.generate(root, **SMALL["fetch"], **SMALL["pocket"], **trials))
    return root


# the pocket world


@pytest.fixture
def few_training_pictures(monkeypatch):
    """What is generated in this process has hardly a picture to train on, which would take most of its time."""
    monkeypatch.setattr(sizes, "TRAINING_PICTURES", 10)


@pytest.mark.usefixtures("few_training_pictures")
def test_the_pocket_world_is_generated_once(choices, capsys):
    choose(choices, "pocket", **SMALL)
    run(choices)
    root = choices.parent / "raw" / "pocket"
    manifest = _manifest.read(root)
    assert manifest.dataset == "pocket"
    assert manifest.request["subjects"] == [1]
    assert manifest.request["generator"] == pocket.VERSION
    planted = sorted(root.glob("pocket/planted/*.safetensors"))
    assert planted
    assert len(arrays.Container(planted[0], "features").names()) == 4
    recorded = yaml.safe_load((choices.parent / "settings" / "fetch.yaml").read_text())
    assert recorded["pocket"] == SMALL["pocket"]
    assert recorded["fetch"]["subjects"] == [1]
    said = capsys.readouterr().err.splitlines()
    assert next(line for line in said if not line.startswith("  ")).startswith("fetch: generating the pocket world")
    assert said[-1] == f"fetch: {root} holds {len(manifest.files)} files"
    times = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    run(choices)
    assert "nothing to do" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == times
    before = held(root)
    (root / "stray").touch()
    (root / keys.LABELS).write_text("damaged")
    run(choices)
    assert held(root) == before


@pytest.mark.usefixtures("few_training_pictures")
def test_what_may_be_passed_on_lies_apart_and_is_all_that_statistics_and_figures_read(choices):
    choose(choices, "pocket", fetch=SMALL["fetch"], pocket={"truth": "planted", "seed": 7})
    (choices.parent / "open" / "another-world").mkdir(parents=True)
    run(choices)
    raw, opened = choices.parent / "raw" / "pocket", choices.parent / "open" / "pocket"
    there = held(opened)
    assert there == {key: digest for key, digest in held(raw).items() if key in there}
    assert {key.split("/")[0] for key in there} == {_manifest.NAME, "pocket", "nsddata"}
    assert not [key for key in there if "ppdata" in key or "stimuli" in key or "betas" in key or "planted" in key]
    models = pd.DataFrame({"model": ["a"], "image_size": [0], "step": [-1]})
    assert known.of(opened, models, "preferred")[0].equals(known.of(raw, models, "preferred")[0])
    assert len(known.trained(opened / "pocket/evaluations")) == len(known.trained(raw / "pocket/evaluations")) > 0
    assert not (opened.parent / "another-world").exists()


def test_a_killed_generation_starts_clean_and_ends_the_same(choices, small_pocket):
    choose(choices, "pocket", **SMALL)
    root = choices.parent / "raw" / "pocket"
    kill_when(start(choices), lambda: (root / keys.PICTURES).exists())
    assert not (root / _manifest.NAME).exists()
    (root / "half.part").touch()
    run(choices)
    found, expected = held(root), held(small_pocket)
    assert {key: found[key] for key in expected if key != _manifest.NAME} == {
        key: digest for key, digest in expected.items() if key != _manifest.NAME
    }
    assert all("planted" in key for key in set(found) - set(expected))


def test_a_bad_choice_is_refused_before_anything_is_deleted(choices):
    root = choices.parent / "raw" / "pocket"
    with _manifest.filling(root, "pocket", {}):
        (root / "precious").touch()
    choose(choices, "pocket", fetch={"subjects": [3]})
    with pytest.raises(BadRequest, match=r"fetch\.subjects is \[3\]"):
        run(choices)
    assert (root / "precious").exists()


@pytest.mark.parametrize(
    ("section", "values", "sentence"),
    [
        ("fetch", {"sessions": -1}, r"'fetch\.sessions' is -1; expected a whole number"),
        ("fetch", {"subjects": 1}, r"'fetch\.subjects' is 1; expected a list of whole numbers"),
        ("fetch", {"beta_format": "mgh"}, r"'fetch\.beta_format' is 'mgh'; expected one of 'hdf5', 'nifti'"),
        ("fetch", {"session": 3}, r"unknown parameter 'fetch\.session'.*Nearest: 'sessions'"),
        ("pocket", {"truth": None}, r"'pocket\.truth' has no value.*'null'"),
        ("pocket", {"seed": -1}, r"'pocket\.seed' is -1"),
    ],
)
def test_a_bad_setting_is_one_sentence(choices, section, values, sentence):
    choose(choices, "pocket", **{section: values})
    with pytest.raises(BadRequest, match=sentence):
        run(choices)


# the published world


def test_the_published_world_has_no_subjects(choices, capsys):
    choose(choices, "published")
    run(choices)
    root = choices.parent / "raw" / "published"
    assert _manifest.read(root).request["subjects"] == []
    assert len(published.scores(root)) == 6930
    assert "pocket" not in yaml.safe_load((choices.parent / "settings" / "fetch.yaml").read_text())
    before = held(root)
    run(choices)
    assert held(root) == before


def test_worlds_lie_beside_each_other(choices):
    other = choices.parent / "raw" / "nsd"
    other.mkdir(parents=True)
    (other / "mine").touch()
    choose(choices, "published")
    run(choices)
    assert (other / "mine").exists()


# the real NSD, from a server that holds a pocket tree under the keys of the real bucket


@pytest.fixture
def mirror(choices, small_pocket, serve, monkeypatch):
    monkeypatch.setattr(_download, "PAUSES", (0.0, 0.01))
    needed = keys.needed([1], 2, keys.BETA_VERSIONS[2], "hdf5")
    served = serve({key: (small_pocket / key).read_bytes() for key in needed})
    choose(choices, "nsd", fetch={"subjects": [1], "sessions": 2, "bucket": served.name})
    return served


@pytest.mark.s3
def test_nothing_is_downloaded_before_the_agreement_is_signed(choices, mirror):
    with pytest.raises(
        BadRequest, match=r"sign it at https://naturalscenesdataset\.org, then write into .*local\.yaml"
    ):
        run(choices)
    assert not (choices.parent / "raw").exists()


@pytest.mark.s3
def test_nsd_is_downloaded_whole_and_read_by_its_adapter(choices, mirror, small_pocket, capsys):
    (choices.parent / "local.yaml").write_text(SIGNED)
    run(choices)
    root = choices.parent / "raw" / "nsd"
    needed = keys.needed([1], 2, keys.BETA_VERSIONS[2], "hdf5")
    assert _manifest.keys(root) == {_manifest.NAME, *needed}
    assert all(_manifest.digest(root / key) == _manifest.digest(small_pocket / key) for key in needed)
    tree = nsd.open_tree(root)
    assert list(tree.subjects) == [1]
    assert len(tree.stimuli("lowest_id")) > 0
    said = capsys.readouterr().err
    assert f"{len(needed)} of {len(needed)} files to fetch into {root}" in said
    assert "are free on that disk" in said
    run(choices)
    assert f"{len(needed)} files of NSD in {root} are whole and as asked; nothing to do" in capsys.readouterr().err


@pytest.mark.s3
def test_who_signed_stays_on_this_machine(choices, mirror, capsys):
    (choices.parent / "local.yaml").write_text(SIGNED)
    run(choices)
    root = choices.parent
    written = (root / "raw" / "nsd" / _manifest.NAME).read_text() + (root / "settings" / "fetch.yaml").read_text()
    assert "Lovelace" not in written + capsys.readouterr().err
    assert "127.0.0.1" not in written


@pytest.mark.s3
def test_a_dry_run_lists_and_writes_nothing(choices, mirror, capsys):
    fetch.dry_run(choices, choices.parent / "raw")
    said = capsys.readouterr().err
    assert all(key in said for key in keys.needed([1], 2, keys.BETA_VERSIONS[2], "hdf5"))
    assert "This was a dry run; the agreement is at https://naturalscenesdataset.org" in said
    assert not (choices.parent / "raw").exists()


@pytest.mark.s3
def test_a_dry_run_from_the_command_line(choices, mirror, small_pocket):
    words = ["--dry-run", "--params", str(choices), "--raw", str(choices.parent / "raw")]
    done = subprocess.run(
        [sys.executable, "-m", "homoplasy.stages.fetch", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert keys.PICTURES in done.stderr
    assert not (choices.parent / "raw").exists()


def test_a_dry_run_of_a_made_world_says_so(choices, capsys):
    fetch.dry_run(choices, choices.parent / "raw")
    assert "is made on this machine; nothing would be downloaded" in capsys.readouterr().err


@pytest.mark.s3
def test_a_killed_download_is_resumed(choices, mirror, small_pocket, line):
    """Kill -9 in the middle of an object, then of another; the last run takes only what is still missing."""
    (choices.parent / "local.yaml").write_text(SIGNED)
    root = choices.parent / "raw" / "nsd"
    total = sum(len((small_pocket / key).read_bytes()) for key in keys.needed([1], 2, keys.BETA_VERSIONS[2], "hdf5"))
    for least in (0.2, 0.4):
        line(rate=total / 2)
        kill_when(start(choices), lambda least=least: _parts(root) and _bytes(root) > least * total)
        assert not (root / _manifest.NAME).exists()
    kept = _bytes(root)
    last = line()
    run(choices)
    assert last.relayed < total - kept + 200_000, "headers and answers to HEAD included"
    needed = keys.needed([1], 2, keys.BETA_VERSIONS[2], "hdf5")
    assert _manifest.keys(root) == {_manifest.NAME, *needed}
    assert all(_manifest.digest(root / key) == _manifest.digest(small_pocket / key) for key in needed)


def _parts(root):
    return [path for path in root.rglob("*.part") if path.name != _manifest.MARK]


def _bytes(root):
    found = 0
    for path in root.rglob("*"):
        with suppress(FileNotFoundError):  # a part has just got its name
            found += path.stat().st_size if path.is_file() else 0
    return found


@pytest.mark.s3
def test_captions_can_come_from_a_folder_of_the_user(choices, mirror, small_pocket):
    for key in keys.CAPTIONS.values():
        mirror.client.delete_object(Bucket=mirror.name, Key=key)
    local = choices.parent / "local.yaml"
    local.write_text(SIGNED)
    with pytest.raises(
        WorkFailed, match=r"neither the bucket holds .*annotations_trainval2017\.zip and write its folder"
    ):
        run(choices)
    folder = choices.parent / "coco"
    folder.mkdir()
    for key in keys.CAPTIONS.values():
        (folder / key.rpartition("/")[2]).write_bytes((small_pocket / key).read_bytes())
    local.write_text(SIGNED.replace("}", ", captions: coco}"))
    run(choices)
    assert nsd.open_tree(choices.parent / "raw" / "nsd").subjects


@pytest.mark.s3
def test_performance_tables_come_from_a_folder_of_the_user(choices, mirror):
    folder = choices.parent / "tables" / "pythia-70m" / "zero-shot"
    folder.mkdir(parents=True)
    (folder / "70m_step0.json").write_text('{"results": {"piqa": {"acc": 0.5}}}')
    (folder.parents[1] / "results-imagenet.csv").write_text("model,img_size,top1\nresnet18.a1_in1k,224,71.5\n")
    (folder.parents[1] / "notes.txt").touch()
    (choices.parent / "local.yaml").write_text(SIGNED.replace("}", ", performance: tables}"))
    run(choices)
    raw = choices.parent / "raw" / "nsd"
    found = {key for key in _manifest.read(raw).files if key.startswith("performance/")}
    assert found == {"performance/results-imagenet.csv", "performance/pythia-70m/zero-shot/70m_step0.json"}
    assert known.trained(raw / known.FOLDER)["value"].tolist() == [0.5]
    assert [one.file for one in known.read(raw / known.FOLDER, "last")] == ["results-imagenet.csv"]


@pytest.mark.s3
def test_local_yaml_of_the_main_checkout_serves_a_temporary_experiment(choices, mirror, tmp_path_factory, monkeypatch):
    main = tmp_path_factory.mktemp("main")
    (main / "local.yaml").write_text(SIGNED)
    monkeypatch.setenv("DVC_ROOT", str(main))
    run(choices)
    assert _manifest.read(choices.parent / "raw" / "nsd").files


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"subjects": []}, r"fetch\.subjects is \[\]; expected at least one subject"),
        ({"subjects": [1, 1]}, r"fetch\.subjects is \[1, 1\]; expected .* each once"),
        ({"subjects": [9]}, "NSD has no subject 9"),
        ({"sessions": 0}, r"fetch\.sessions is 0; expected 1 to 40"),
        ({"sessions": 41}, r"fetch\.sessions is 41; expected 1 to 40"),
        ({"bucket": ""}, r"fetch\.bucket is '', which cannot be the name of a bucket"),
    ],
)
def test_a_bad_request_of_nsd_is_one_sentence(choices, endpoint, values, sentence):
    (choices.parent / "local.yaml").write_text(SIGNED)
    choose(choices, "nsd", fetch=values)
    with pytest.raises(BadRequest, match=sentence):
        run(choices)


def test_an_offline_server_is_one_sentence_with_exit_code_1(choices, endpoint):
    (choices.parent / "local.yaml").write_text(SIGNED)
    choose(choices, "nsd")
    words = itertools.chain.from_iterable(
        (f"--{name}", str(choices.parent / name)) for name in ("raw", "printed", "open-data", "record")
    )
    done = subprocess.run(
        [sys.executable, "-m", "homoplasy.stages.fetch", "--params", str(choices), *words],
        env=os.environ | {"AWS_ENDPOINT_URL": "http://somebody:a-password@127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("homoplasy: cannot reach the S3 server 127.0.0.1:9 ")
    assert "Traceback" not in done.stderr
    assert "a-password" not in done.stderr


def test_the_manifest_names_sizes_that_are_true(small_pocket):
    about = json.loads((small_pocket / _manifest.NAME).read_text())
    sizes = np.array([[entry["size"], (small_pocket / key).stat().st_size] for key, entry in about["files"].items()])
    assert (sizes[:, 0] == sizes[:, 1]).all()
