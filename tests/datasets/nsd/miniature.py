"""A tree of a few hundred kilobytes in the formats of NSD, small enough to damage one file at a time."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import nibabel
import numpy as np
import pandas as pd
from scipy.io import savemat

from homoplasy.datasets.nsd import keys

SHAPE = (7, 6, 5)
SHARED, OWN, SESSIONS, TRIALS, PEOPLE = 10, 20, 5, 18, 8
VERSION = "betas_fithrf_GLMdenoise_RR"
NAMES = pd.read_csv(Path(keys.__file__).parents[1] / "hcp_mmp1_yeo7.csv", dtype=str)["name"].tolist()
# region: voxels on the left, on the right, ncsnr
PLANTED = {"V1": (14, 12, 1.5), "MST": (6, 5, 1.0), "4": (8, 0, 0.0), "FEF": (1, 1, 1.0)}
CORNER = (SHAPE[0] - 1, 0, SHAPE[2] - 1)  # labelled MST on the right; holds 100 x session + trial


@dataclass
class Miniature:
    """What was written, in memory."""

    root: Path
    order: np.ndarray  # (trials,) 0-based design column
    pictures: np.ndarray  # (people, images) 0-based ids
    labels: np.ndarray  # (X, Y, Z), the right hemisphere negative
    betas: dict = field(default_factory=dict)  # subject -> (sessions, X, Y, Z, trials) int16
    dropout: dict = field(default_factory=dict)

    def path(self, key: str) -> Path:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def write(root: Path, subjects=(1, 2), form="hdf5", seed=0) -> Miniature:
    rng = np.random.default_rng(seed)
    ids = rng.permutation(SHARED + PEOPLE * OWN)
    shared = np.tile(np.sort(ids[:SHARED]), (PEOPLE, 1))
    pictures = np.hstack([shared, ids[SHARED:].reshape(PEOPLE, OWN)])
    order = rng.permutation(np.repeat(np.arange(SHARED + OWN), 3))
    tree = Miniature(root, order, pictures, _labels(rng))
    _experiment(tree, rng)
    _captions(tree, rng)
    for subject in subjects:
        _subject(tree, subject, form, rng)
    _manifest(tree, subjects, form)
    return tree


def _labels(rng) -> np.ndarray:
    """Label 1..180 on the left, its negative on the right, 0 elsewhere, -999 outside the brain."""
    labels = np.zeros(SHAPE, dtype=int)
    labels[0] = -999
    labels[CORNER] = -(NAMES.index("MST") + 1)
    free = rng.permutation([v for v in np.flatnonzero(labels == 0) if v != np.ravel_multi_index(CORNER, SHAPE)])
    start = 0
    for name, (left, right, _) in PLANTED.items():
        for count, sign in ((left, 1), (right - (name == "MST"), -1)):
            labels.flat[free[start : start + count]] = sign * (NAMES.index(name) + 1)
            start += count
    return labels


def _experiment(tree: Miniature, rng) -> None:
    plan = {
        "masterordering": tree.order[None] + 1,
        "subjectim": tree.pictures + 1,
        "sharedix": np.sort(tree.pictures[:1, :SHARED]) + 1,
        "stimpattern": np.ones((SESSIONS, 2, TRIALS // 2)),
    }
    savemat(tree.path(keys.DESIGN), plan)
    count = tree.pictures.max() + 1
    table = pd.DataFrame(
        {"cocoId": 1000 + np.arange(count), "cocoSplit": np.where(np.arange(count) % 3, "train2017", "val2017")}
    )
    table["cropBox"] = "(0.0, 0.0, 0.125, 0.125)"
    table["nsdId"] = np.arange(count)
    table["shared1000"] = np.where(np.isin(np.arange(count), tree.pictures[0, :SHARED]), "True", "False")
    for subject in range(1, PEOPLE + 1):
        rows = np.zeros((count, 3), dtype=int)
        rows[tree.pictures[subject - 1]] = np.argsort(tree.order, kind="stable").reshape(-1, 3) + 1
        for k in range(3):
            table[f"subject{subject}_rep{k}"] = rows[:, k]
    table.to_csv(tree.path(keys.STIMULUS_TABLE))
    with h5py.File(tree.path(keys.PICTURES), "w") as file:
        file["imgBrick"] = rng.integers(0, 256, (count, 6, 6, 3), dtype=np.uint8)
    lines = [f"{label} {name}" for label, name in enumerate(["Unknown", *NAMES])]
    tree.path(keys.LABELS).write_text("\n".join(lines) + "\n")


def _captions(tree: Miniature, rng) -> None:
    for split, key in keys.CAPTIONS.items():
        found = []
        for picture in range(tree.pictures.max() + 1):
            if split == ("val2017", "train2017", "train2017")[picture % 3]:
                found += [
                    {
                        "image_id": 1000 + picture,
                        "id": 10 * picture + k,
                        "caption": f" caption {k} of picture {picture}\n",
                    }
                    for k in (1, 0, 2)  # the first in the file is not the lowest id
                ]
        tree.path(key).write_text(json.dumps({"info": {}, "images": [], "annotations": found}))


def _subject(tree: Miniature, subject: int, form: str, rng) -> None:
    snr = np.zeros(SHAPE)
    for name, (*_, planted) in PLANTED.items():
        snr[np.abs(tree.labels) == NAMES.index(name) + 1] = planted
    signal = snr[..., None] * rng.standard_normal((*SHAPE, SHARED + OWN))
    trials = signal[..., tree.order] + rng.standard_normal((*SHAPE, tree.order.size))
    sessions = np.stack(np.split(trials, SESSIONS, axis=-1))
    gain, offset = rng.uniform(0.8, 1.25, (SESSIONS, *SHAPE, 1)), rng.standard_normal((SESSIONS, *SHAPE, 1))
    betas = np.rint(300 * (gain * sessions + offset)).astype(np.int16)
    betas[:, CORNER[0], CORNER[1], CORNER[2]] = 100 * np.arange(1, SESSIONS + 1)[:, None] + np.arange(TRIALS)
    first = np.unravel_index(np.flatnonzero(tree.labels == 1)[0], SHAPE)
    betas[(2, *first)] = 7  # constant in one session only
    betas[:, 0] = 0
    dropout = np.full(SHAPE, 0.5)
    dropout.flat[np.flatnonzero(tree.labels == 1)[1]] = 1.5
    tree.betas[subject], tree.dropout[subject] = betas, dropout
    _volumes(tree, subject, snr, dropout)
    plan = tree.pictures[subject - 1][tree.order]
    frame = pd.DataFrame({"SUBJECT": subject, "SESSION": np.arange(plan.size) // TRIALS + 1, "RUN": 1, "TRIAL": 1})
    frame["73KID"], frame["10KID"] = plan + 1, tree.order + 1
    frame.to_csv(tree.path(keys.responses(subject)), sep="\t", index=False)
    for session in range(1, SESSIONS + 1):
        put_session(tree.path(keys.betas(subject, session, VERSION, form)), betas[session - 1])


def _volumes(tree: Miniature, subject: int, snr: np.ndarray, dropout: np.ndarray) -> None:
    outside, labels = tree.labels == -999, np.where(tree.labels == -999, 0, tree.labels)
    sides = {"": np.abs(labels), "lh.": np.maximum(labels, 0), "rh.": np.maximum(-labels, 0)}
    for side, values in sides.items():
        put_volume(tree.path(keys.atlas(subject, side)), np.where(outside, -1, values))
    put_volume(tree.path(keys.volume(subject, "brainmask")), ~outside)
    put_volume(tree.path(keys.volume(subject, "signaldropout")), dropout)
    put_volume(tree.path(keys.ncsnr(subject, VERSION)), snr)


def put_volume(path: Path, values: np.ndarray) -> None:
    nibabel.save(nibabel.Nifti1Image(values.astype(np.float32), np.eye(4)), path)


def put_session(path: Path, betas: np.ndarray) -> None:
    """Write (X, Y, Z, trials) as MATLAB does: the HDF5 axes are reversed."""
    if path.suffix == ".hdf5":
        with h5py.File(path, "w") as file:
            file.create_dataset("betas", data=betas.T, chunks=(betas.shape[-1], 1, 1, 1))
    else:
        nibabel.save(nibabel.Nifti1Image(betas, np.eye(4)), path)


def _manifest(tree: Miniature, subjects, form: str) -> None:
    files = {}
    for path in sorted(tree.root.rglob("*")):
        if path.is_file():
            found = hashlib.sha256(path.read_bytes()).hexdigest()
            files[path.relative_to(tree.root).as_posix()] = {"size": path.stat().st_size, "etag": None, "sha256": found}
    request = {"subjects": list(subjects), "sessions": SESSIONS, "beta_version": VERSION, "beta_format": form}
    about = {"format": 1, "dataset": "nsd", "request": request, "files": files}
    (tree.root / "MANIFEST.json").write_text(json.dumps(about))
