"""The files, field by field, read with nothing but the public readers of their formats."""

import hashlib
import json

import h5py
import nibabel
import numpy as np
import pandas as pd
import pytest
from scipy.io import loadmat

from homoplasy.datasets.pocket import anatomy, sizes, trajectories
from homoplasy.datasets.pocket.brain import Brain

VERSION = "betas_fithrf_GLMdenoise_RR"


def digests(root):
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def design(tree):
    return loadmat(tree / "nsddata/experiments/nsd/nsd_expdesign.mat")


@pytest.fixture(scope="module")
def stimuli(tree):
    return pd.read_csv(tree / "nsddata/experiments/nsd/nsd_stim_info_merged.csv")


def test_the_tree_has_the_keys_of_the_bucket(tree):
    found = set(digests(tree))
    wanted = {
        "nsddata/experiments/nsd/nsd_expdesign.mat",
        "nsddata/experiments/nsd/nsd_stim_info_merged.csv",
        "nsddata/freesurfer/fsaverage/label/HCP_MMP1.mgz.ctab",
        "nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5",
        "nsddata_stimuli/stimuli/nsd/annotations/captions_train2017.json",
        "nsddata_stimuli/stimuli/nsd/annotations/captions_val2017.json",
    }
    for subject in ("subj01", "subj02", "subj05", "subj07"):
        functional, betas = f"ppdata/{subject}/func1pt8mm", f"nsddata_betas/ppdata/{subject}/func1pt8mm/{VERSION}"
        wanted |= {f"nsddata/{functional}/{name}.nii.gz" for name in ("brainmask", "mean", "signaldropout")}
        wanted |= {f"nsddata/{functional}/roi/{side}HCP_MMP1.nii.gz" for side in ("", "lh.", "rh.")}
        wanted |= {f"{betas}/betas_session{session:02d}.hdf5" for session in range(1, 11)}
        wanted |= {f"{betas}/ncsnr.nii.gz", f"nsddata/ppdata/{subject}/behav/responses.tsv"}
    beside = {"performance.csv", "truth/truth.json", "truth/truth.npz"}
    beside |= {"training/pictures.hdf5", "training/captions.json"}
    evaluations = {key for key in found if key.startswith(trajectories.FOLDER)}
    assert len(evaluations) == len(trajectories.CASES) * len(trajectories.STEPS)
    assert found - evaluations == wanted | {f"pocket/{name}" for name in beside}


def test_the_tree_is_smaller_than_100_megabytes(tree):
    assert sum(path.stat().st_size for path in tree.rglob("*") if path.is_file()) < 100e6


def test_the_design_file(design):
    shapes = {
        "masterordering": (1, 720),
        "subjectim": (8, 240),
        "sharedix": (1, 40),
        "stimpattern": (10, 12, 8),
        "basiccnt": (3, 10),
    }
    assert {name: design[name].shape for name in shapes} == shapes
    assert all(design[name].dtype.kind in "iu" for name in shapes)
    assert (design["masterordering"].min(), design["masterordering"].max()) == (1, 240)
    assert (design["subjectim"].min(), design["subjectim"].max()) == (1, 1640)
    assert (design["subjectim"][:, :40] == design["sharedix"]).all()
    assert b"Created on" not in design["__header__"]


def test_the_stimulus_table(stimuli, design):
    assert stimuli.columns[:9].tolist() == [
        "Unnamed: 0",
        "cocoId",
        "cocoSplit",
        "cropBox",
        "loss",
        "nsdId",
        "flagged",
        "BOLD5000",
        "shared1000",
    ]
    repeats = [f"subject{s}_rep{r}" for s in range(1, 9) for r in range(3)]
    assert stimuli.columns[9:].tolist() == [*(f"subject{s}" for s in range(1, 9)), *repeats]
    assert stimuli["nsdId"].tolist() == stimuli["Unnamed: 0"].tolist() == list(range(1640))
    assert stimuli["cocoId"].is_unique
    assert set(stimuli["cocoSplit"]) == {"train2017", "val2017"}
    assert (np.flatnonzero(stimuli["shared1000"]) == design["sharedix"].ravel() - 1).all()


def test_some_flags_of_the_stimulus_table_are_words(tree):
    raw = pd.read_csv(tree / "nsddata/experiments/nsd/nsd_stim_info_merged.csv", dtype=str)
    assert set(raw["flagged"]) == {"TRUE", "FALSE"}
    assert set(raw["shared1000"]) == {"True", "False"}
    assert set(raw["subject1"]) == {"0", "1"}


@pytest.mark.parametrize("subject", [1, 7])
def test_design_table_and_behaviour_agree_in_every_trial(tree, stimuli, design, subject):
    behaviour = pd.read_csv(tree / f"nsddata/ppdata/subj{subject:02d}/behav/responses.tsv", sep="\t")
    column = design["masterordering"].ravel().astype(int)
    ids = design["subjectim"][subject - 1, column - 1] - 1
    assert (behaviour["73KID"].to_numpy() - 1 == ids).all()
    assert (behaviour["10KID"].to_numpy() == column).all()
    assert (behaviour["SUBJECT"] == subject).all()
    planned = stimuli[[f"subject{subject}_rep{r}" for r in range(3)]].to_numpy()
    trials = np.arange(1, 721)
    assert (planned[ids] == trials[:, None]).any(axis=1).all()
    assert np.sort(planned[planned > 0]).tolist() == trials.tolist()


def test_the_picture_brick(tree, world):
    with h5py.File(tree / "nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5") as file:
        assert list(file) == ["imgBrick"]
        assert file["imgBrick"].shape == (1640, 48, 48, 3)
        assert file["imgBrick"].dtype == np.uint8


def test_the_label_table(tree):
    lines = (tree / "nsddata/freesurfer/fsaverage/label/HCP_MMP1.mgz.ctab").read_text().splitlines()
    assert lines[:4] == ["0 Unknown", "1 V1", "2 MST", "3 V6"]
    assert lines[-1] == "180 p24"
    assert len(lines) == 181


@pytest.mark.parametrize("subject", [1, 2, 5, 7])
def test_the_volumes(tree, subject):
    folder = tree / f"nsddata/ppdata/subj{subject:02d}/func1pt8mm"
    names = ["brainmask", "mean", "signaldropout", "roi/HCP_MMP1", "roi/lh.HCP_MMP1", "roi/rh.HCP_MMP1"]
    images = {name: nibabel.load(folder / f"{name}.nii.gz") for name in names}
    for image in images.values():
        assert image.shape == sizes.VOLUMES[subject]
        assert np.allclose(image.header.get_zooms(), 1.8)
    labels = {side: np.asarray(images[f"roi/{side}HCP_MMP1"].dataobj) for side in ("", "lh.", "rh.")}
    assert all(one.dtype == np.int16 and one.min() == -1 for one in labels.values())
    assert (np.maximum(labels["lh."], labels["rh."]) == labels[""]).all()
    mask = np.asarray(images["brainmask"].dataobj) == 1
    assert not (labels[""][~mask] >= 0).any()


@pytest.mark.parametrize("subject", [1, 2, 5, 7])
def test_betas_are_stored_backwards_and_the_corner_shows_it(tree, world, subject):
    x, y, z = sizes.VOLUMES[subject]
    with h5py.File(tree / f"nsddata_betas/ppdata/subj{subject:02d}/func1pt8mm/{VERSION}/betas_session02.hdf5") as file:
        stored = file["betas"]
        assert (stored.shape, stored.chunks, stored.dtype) == ((72, z, y, x), (72, 1, 1, 1), np.int16)
        assert stored.compression is None
        values = stored[()]
    wanted = Brain(world, subject).betas(2)
    corner = anatomy.corner((x, y, z))
    assert (values[:, corner[2], corner[1], corner[0]] == wanted[corner]).all()
    assert values[:, corner[2], corner[1], corner[0]].std() > 100
    assert (values.transpose(3, 2, 1, 0) == wanted).all()


@pytest.mark.usefixtures("few_training_pictures")
def test_the_nifti_betas_hold_the_same_trials(tree, tmp_path, generate):
    generate(tmp_path, beta_format="nifti", subjects=[7], sessions=1, beta_version="betas_fithrf")
    folder = tmp_path / "nsddata_betas/ppdata/subj07/func1pt8mm/betas_fithrf"
    assert sorted(path.name for path in folder.iterdir()) == ["betas_session01.nii.gz", "ncsnr.nii.gz"]
    image = nibabel.load(folder / "betas_session01.nii.gz")
    values = np.asarray(image.dataobj)
    assert (values.shape, values.dtype) == ((15, 18, 17, 72), np.int16)
    with h5py.File(tree / f"nsddata_betas/ppdata/subj07/func1pt8mm/{VERSION}/betas_session01.hdf5") as file:
        assert (values == file["betas"][()].T).all()


def test_two_runs_write_the_same_bytes(tree, tmp_path, generate):
    first, second = (next(generate(tmp_path / name, subjects=[7], sessions=2)) for name in "ab")
    part = digests(tmp_path / "a")
    assert part == digests(tmp_path / "b")
    assert all((k.values == l.values).all() for k, l in zip(first.layers, second.layers, strict=True))
    whole = digests(tree)
    alike = [key for key in part if not key.startswith("pocket/truth")]
    assert all(part[key] == whole[key] for key in alike)  # what is there does not depend on what else is


def test_another_seed_is_another_world(tree, tmp_path, generate):
    generate(tmp_path, seed=1, subjects=[7], sessions=1)
    whole, other = digests(tree), digests(tmp_path)
    same = {key for key in other if other[key] == whole[key] and not key.startswith(trajectories.FOLDER)}
    assert same == {"nsddata/freesurfer/fsaverage/label/HCP_MMP1.mgz.ctab"}


@pytest.mark.usefixtures("few_training_pictures")
def test_the_short_world_has_nine_sessions(tmp_path, generate):
    generate(tmp_path, truth="short", subjects=[7])
    names = [path.name for path in tmp_path.rglob("betas_session*")]
    assert sorted(names) == [f"betas_session{one:02d}.hdf5" for one in range(1, 10)]
    assert len(pd.read_csv(tmp_path / "nsddata/ppdata/subj07/behav/responses.tsv", sep="\t")) == 720


@pytest.mark.usefixtures("few_training_pictures")
def test_one_trial_of_the_first_subject_is_misread(tree, tmp_path, generate):
    generate(tmp_path, truth="bad_responses", subjects=[5, 7], sessions=1)
    key = "nsddata/ppdata/subj05/behav/responses.tsv"
    right, wrong = (pd.read_csv(root / key, sep="\t") for root in (tree, tmp_path))
    bad = json.loads((tmp_path / "pocket/truth/truth.json").read_text())["bad"]["misread_trial"]
    differ = np.flatnonzero(right["73KID"] != wrong["73KID"])
    assert differ.tolist() == [bad["trial"] - 1]
    assert bad["subject"] == 5
    assert right.drop(columns="73KID").equals(wrong.drop(columns="73KID"))


def test_the_null_world_changes_no_picture_and_no_brain(tree, tmp_path, generate):
    generate(tmp_path, truth="null", subjects=[7], sessions=1)
    whole, null = digests(tree), digests(tmp_path)
    changed = {key for key in null if null[key] != whole[key]}
    assert changed == {"pocket/performance.csv", "pocket/truth/truth.json", "pocket/truth/truth.npz"}


@pytest.mark.usefixtures("few_training_pictures")
def test_a_scrambled_tree_holds_the_sessions_of_other_files(tree, tmp_path, generate):
    generate(tmp_path, truth="scrambled", subjects=[7], sessions=2)
    folder = f"nsddata_betas/ppdata/subj07/func1pt8mm/{VERSION}"
    whole, wrong = digests(tree), digests(tmp_path)
    assert wrong[f"{folder}/betas_session01.hdf5"] == whole[f"{folder}/betas_session02.hdf5"]
    assert wrong[f"{folder}/betas_session02.hdf5"] == whole[f"{folder}/betas_session01.hdf5"]
