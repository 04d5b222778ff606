"""Peak memory and time of parcellate on a generated subject of full size: `benchmarks/parcellate_memory.py FOLDER`.

81 x 104 x 83 voxels, 100,000 of them labelled, 750 trials a session, 10,000 images three times. The volume and the
design are those of NSD's first subject; the values are noise. Session files are hard links to three generated ones
(1.1 GB each): the reader reads each of them anew, and what it holds in memory does not depend on their content.
FOLDER needs about 30 GB with 40 sessions.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import h5py
import nibabel
import numpy as np
import pandas as pd
from numpy.random import Generator
from scipy.io import savemat

from homoplasy.datasets.nsd import keys
from homoplasy.datasets.nsd.facts import FACTS

REPOSITORY = Path(__file__).resolve().parents[1]
SHAPE = FACTS.people[1].volume
VERSION = "betas_fithrf_GLMdenoise_RR"
LABELLED, DISTINCT = 100_000, 3


def design(root: Path, rng: Generator) -> None:
    """The experiment of full size, in a random order, and the behaviour that agrees with it."""
    order = rng.permutation(np.repeat(np.arange(FACTS.images_a_subject), 3))
    own = rng.permutation(FACTS.pictures)[: FACTS.shared + 8 * 9_000].copy()
    shared = np.sort(own[: FACTS.shared])
    pictures = np.hstack([np.tile(shared, (8, 1)), own[FACTS.shared :].reshape(8, 9_000)])
    plan = {"masterordering": order[None] + 1, "subjectim": pictures + 1, "sharedix": shared[None] + 1}
    savemat(place(root, keys.DESIGN), plan | {"stimpattern": np.ones((FACTS.sessions, 12, 75), dtype=np.uint8)})
    ids = pictures[0, order]
    trial = np.arange(ids.size)
    rows = {"SESSION": trial // FACTS.trials_a_session + 1, "73KID": ids + 1, "10KID": order + 1}
    pd.DataFrame(rows).to_csv(place(root, keys.responses(1)), sep="\t", index=False)
    stimuli(root, pictures[0], np.argsort(order, kind="stable").reshape(-1, 3) + 1, shared)


def stimuli(root: Path, pictures: np.ndarray, trials: np.ndarray, shared: np.ndarray) -> None:
    """The stimulus table of 73,000 rows, and five captions for each."""
    every = np.arange(FACTS.pictures)
    repeats = np.zeros((every.size, 3), dtype=np.int64)
    repeats[pictures] = trials
    frame = pd.DataFrame({"cocoId": every, "cocoSplit": "train2017", "cropBox": "(0.0, 0.0, 0.125, 0.125)"})
    frame["nsdId"], frame["shared1000"] = every, np.isin(every, shared)
    frame[[f"subject1_rep{k}" for k in range(3)]] = repeats
    frame.to_csv(place(root, keys.STIMULUS_TABLE))
    found = [
        {"image_id": int(i), "id": int(5 * i + k), "caption": f"picture {i}, {k}"} for i in every for k in range(5)
    ]
    place(root, keys.CAPTIONS["train2017"]).write_text(json.dumps({"annotations": found}))


def anatomy(root: Path, rng: Generator) -> None:
    """180 regions of unlike size in both hemispheres."""
    names = pd.read_csv(REPOSITORY / "src/homoplasy/datasets/hcp_mmp1_yeo7.csv", dtype=str)["name"]
    place(root, keys.LABELS).write_text("".join(f"{i} {name}\n" for i, name in enumerate(["Unknown", *names])))
    share = rng.lognormal(0.0, 0.7, FACTS.regions)
    labels = np.zeros(SHAPE, dtype=np.float32)
    labels.flat[rng.permutation(labels.size)[:LABELLED]] = rng.choice(180, LABELLED, p=share / share.sum()) + 1
    left = np.arange(SHAPE[0])[:, None, None] < SHAPE[0] // 2
    maps = {keys.atlas(1, ""): labels, keys.atlas(1, "lh."): labels * left, keys.atlas(1, "rh."): labels * ~left}
    maps |= {keys.volume(1, "brainmask"): np.ones(SHAPE), keys.volume(1, "signaldropout"): np.full(SHAPE, 0.5)}
    for key, values in {**maps, keys.ncsnr(1, VERSION): np.full(SHAPE, 0.3)}.items():
        nibabel.save(nibabel.Nifti1Image(np.asarray(values, dtype=np.float32), np.eye(4)), place(root, key))


def betas(root: Path, sessions: int, rng: Generator) -> None:
    """The session files; MATLAB's chunk is one voxel by all trials."""
    trials = FACTS.trials_a_session
    for session in range(1, sessions + 1):
        path = place(root, keys.betas(1, session, VERSION, "hdf5"))
        if session > DISTINCT:
            os.link(root / keys.betas(1, (session - 1) % DISTINCT + 1, VERSION, "hdf5"), path)
            continue
        with h5py.File(path, "w") as file:
            data = file.create_dataset("betas", (trials, *SHAPE[::-1]), "i2", chunks=(trials, 1, 1, 1))
            for z in range(SHAPE[2]):
                data[:, z] = rng.normal(0, 600, (trials, SHAPE[1], SHAPE[0])).astype(np.int16)


def place(root: Path, key: str) -> Path:
    """The path of a file, its folder made."""
    path = root / key
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def world(folder: Path, sessions: int) -> list[str]:
    """Write the tree and the settings; return the command of the stage."""
    root, rng = folder / "raw/nsd", np.random.default_rng(1)
    design(root, rng), anatomy(root, rng), betas(root, sessions, rng)
    files = {path.relative_to(root).as_posix(): path.stat().st_size for path in root.rglob("*") if path.is_file()}
    request = {"subjects": [1], "sessions": sessions, "beta_version": VERSION, "beta_format": "hdf5"}
    listed = {key: {"size": size, "sha256": "0" * 64, "etag": None} for key, size in files.items()}
    about = {"format": 1, "dataset": "nsd", "request": request, "files": listed}
    place(root, "MANIFEST.json").write_text(json.dumps(about))
    shutil.copytree(REPOSITORY / "conf", folder / "conf", dirs_exist_ok=True)
    noise_has_no_pairing = "parcellate: {pairing_sd: 0.0}\n"
    place(folder, "params.yaml").write_text(f"world: nsd\npreset: calibrated\n{noise_has_no_pairing}")
    paths = {"params": "params.yaml", "raw": "raw/nsd", "brain": "brain", "record": "record.yaml"}
    arguments = [word for name, at in paths.items() for word in (f"--{name}", str(folder / at))]
    return [sys.executable, "-m", "homoplasy.stages.parcellate", *arguments]


def main() -> None:
    """Generate, run the stage in a process of its own, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sessions", type=int, default=FACTS.sessions)
    given = parser.parse_args()
    command = world(given.folder, given.sessions)
    start = time.monotonic()
    subprocess.run(command, check=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9
    print(f"{given.sessions} sessions: peak {peak:.2f} GB of memory, {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
