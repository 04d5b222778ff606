"""A small made-up table of scores with planted truth: quality, place on the hierarchy, width and families."""

import numpy as np
import pandas as pd

from homoplasy.tables import DRAWS, MODELS, PERFORMANCE, REGIONS, SCORES

N = 200
NULL_SD = float(np.sqrt(2 / (N * (N - 3))))
SUBJECTS = ("subj01", "subj02", "subj05", "subj07")
PLACES = {  # region: place on the hierarchy, voxels, ceiling, network
    "V1": (0.0, 384, 0.95, "Visual"),
    "V2": (0.05, 24, 0.60, "Visual"),
    "V4": (0.2, 48, 0.70, "Visual"),
    "FFC": (0.5, 32, 0.70, "Visual"),
    "MT": (0.3, 96, 0.80, "Dorsal Attention"),
    "PFm": (0.85, 240, 0.55, "Frontoparietal"),
    "4": (np.nan, 320, np.nan, "Somatomotor"),
    "TE2a": (0.95, 300, 0.60, "Limbic"),
    "OFC": (1.0, 128, 0.40, "Limbic"),
    "PGi": (0.8, 192, 0.65, "Default"),
    "10d": (0.9, 64, 0.35, "Default"),
}


def models(count: int = 24, layers: int = 8) -> pd.DataFrame:
    rows = []
    for modality in ("vision", "language"):
        for index in range(count):
            family = f"{modality[:3]}-{'abc'[index % 3]}"
            rows.append({"model": f"planted:{modality}-{index:02d}", "modality": modality, "family": family})
    about = {"architecture": "planted", "parameters": np.nan, "layers": layers, "reason": ""}
    return MODELS.check(pd.DataFrame(rows).assign(**about, run="", step=-1, weights="", image_size=0))


def facts(table: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Width (log-spaced) and quality (shuffled against it) of every model."""
    rng = np.random.default_rng(seed)
    parts = []
    for _, group in table.groupby("modality", sort=False):
        count = len(group)
        while True:
            quality = rng.permutation(np.linspace(0.05, 0.8, count))
            if abs(np.corrcoef(quality, np.arange(count))[0, 1]) < 0.05:
                break
        width = np.geomspace(56, 512, count).round().astype(int)
        parts.append(pd.DataFrame({"model": group["model"].to_numpy(), "width": width, "quality": quality}))
    return pd.concat(parts, ignore_index=True)


def scores(table: pd.DataFrame, truth: pd.DataFrame, strength: float = 1.0, seed: int = 1) -> pd.DataFrame:
    """Debiased scores are quality times match times ceiling and noise; biased ones sit on a floor set by width."""
    rng = np.random.default_rng(seed)
    known = truth.set_index("model")
    rows = []
    for model in table.itertuples():
        for index in range(model.layers):
            depth = (index + 1) / model.layers
            place = depth if model.modality == "vision" else 0.8 + 0.2 * depth
            for subject in SUBJECTS:
                for region, (h, voxels, ceiling, _) in PLACES.items():
                    match = 0.0 if np.isnan(h) else max(0.0, 1 - 1.2 * abs(place - h)) * ceiling
                    clean = strength * known.quality[model.model] * match + rng.normal(0, NULL_SD)
                    width = int(known.width[model.model])
                    floor = 1 - np.exp(-width / 400) * 0.9 - 0.05 * (voxels < 50)
                    about = (model.model, f"layer{index + 1}", depth, f"{subject}/{region}", region, subject)
                    common = (ceiling, width, voxels, 0.5, 0.5, 20.0, 30.0, "")
                    rows.append(
                        (*about, "cka.rbf", "c=1 debiased", "debiased", N, clean, 0.0, NULL_SD, np.nan, *common)
                    )
                    biased = floor + (1 - floor) * 0.1 * clean
                    rows.append(
                        (*about, "cka.rbf", "sigma=9 biased", "biased", N, biased, floor, NULL_SD, np.nan, *common)
                    )
    return SCORES.check(pd.DataFrame(rows, columns=list(SCORES.columns)))


def halves(table: pd.DataFrame, splits: int = 2, seed: int = 3) -> pd.DataFrame:
    """Both halves of the images for the calibrated scores at the depth that counts: the same with twice the noise."""
    rng = np.random.default_rng(seed)
    mine = table[(table["params"] == "c=1 debiased") & table["depth"].between(5 / 8 + 1e-9, 6 / 8)]
    rows = [
        mine.assign(draw=draw, value=mine["value"] + rng.normal(0, 2 * NULL_SD, len(mine)))
        for draw in range(2 * splits)
    ]
    found = pd.concat(rows, ignore_index=True).assign(kind="split", n=N // 2)
    return DRAWS.check(found[list(DRAWS.columns)])


def performance(truth: pd.DataFrame, seed: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = 40 * truth["quality"] + rng.normal(0, 1, len(truth))
    return PERFORMANCE.check(truth[["model"]].assign(benchmark="planted", performance=values))


def regions() -> pd.DataFrame:
    rows = []
    for subject in SUBJECTS:
        for region, (_, voxels, ceiling, network) in PLACES.items():
            counts = {"voxels_labelled": voxels + 9, "voxels_constant": 3, "voxels_dropout": 6, "voxels_unreliable": 0}
            about = {"subject": subject, "region": region, "hemisphere": "both", "voxels": voxels, "network": network}
            fine = {
                "ncsnr": 0.4,
                "ncsnr_shipped": 0.4,
                "variance_ceiling": 20.0,
                "ceiling": ceiling,
                "ceiling_z": 5 / 0.4 * ceiling,
                "reason": "",
            }
            rows.append(about | counts | fine)
        rows.append(rows[-1] | {"region": "LO3", "voxels": 4, "reason": "too_few_voxels", "ceiling": np.nan})
    return REGIONS.check(pd.DataFrame(rows))
