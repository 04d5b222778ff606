"""Tables of audit, certificates and multiverse with numbers that a test can check by eye."""

import numpy as np
import pandas as pd

from homoplasy.tables import CEILINGS, CERTIFICATES, COMPONENTS, MATCHED_SCALES, NULL_SCORES, SPECIFICATIONS, TWINS

KERNELS = ("linear", "c=1", "sigma=9")
REGIONS = ("top .05", "all", "visual")


def _filled(schema, rows):
    """Rows with a plain value in every column that they do not name."""
    plain = {"number": np.nan, "integer": 1, "text": "", "flag": False}
    full = [{name: plain[kind] for name, kind in schema.columns.items()} | row for row in rows]
    return schema.check(pd.DataFrame(full, columns=list(schema.columns)))


def audit(model_scores):
    """Ceilings of two regions in two subjects, a twin of every kind for each model, three re-pairings."""
    whole = model_scores[model_scores["counted"]].drop_duplicates("model")
    ceilings = [
        {"target": f"{subject}/{region}", "region": region, "subject": subject, "voxels": 40, "ceiling": ceiling}
        | {"ceiling_z": 9.0, "between": 0.3, "between_corrected": 0.5, "matched_ceiling": 0.4, "matched_voxels": 24}
        for subject in ("subj01", "subj02")
        for region, ceiling in (("V1", 0.8), ("PGi", 0.4))
    ]
    twins = [
        {
            "source": model,
            "layer": "l",
            "target": "subj01/V1",
            "kind": kind,
            "calibrated": value,
            "model_calibrated": 0.2,
        }
        for model in whole["model"]
        for kind, value in (("untrained", 0.05), ("gaussian", 0.0))
    ]
    noise = np.random.default_rng(1)
    nulls = [
        {"model": model, "modality": modality, "draw": draw, "raw": noise.random(), "calibrated": noise.random()}
        for model, modality in zip(whole["model"], whole["modality"], strict=True)
        for draw in range(3)
    ]
    matched = [
        {
            "modality": "vision",
            "region": "V1",
            "voxels": 24,
            "delta": 0.1,
            "matched_delta": 0.05,
            "low": 0.01,
            "high": 0.09,
        }
    ]
    return {
        "ceilings": _filled(CEILINGS, ceilings),
        "twins": _filled(TWINS, twins),
        "null_scores": _filled(NULL_SCORES, nulls),
        "matched_scales": _filled(MATCHED_SCALES, matched),
    }


def certificates():
    """The released analysis announces everything where only width differs; the calibrated one does not."""
    rows = []
    for preset, wrong in (("calibrated", 1), ("as_released", 19)):
        for truth, role, positives in (
            ("null", "false_positive", 1),
            ("width", "false_positive", wrong),
            ("planted", "power", 18),
        ):
            about = {"claim": "lang.leaderboard2", "preset": preset, "truth": truth, "role": role, "test": "r above 0"}
            shares = {"rate": positives / 20, "low": positives / 20 - 0.04, "high": min(1, positives / 20 + 0.2)}
            rows.append(about | shares | {"seeds": 20, "answered": 20, "positives": positives})
    rows.append({"claim": "q1", "preset": "calibrated", "truth": "planted", "role": "rate", "seeds": 20, "answered": 20,
                 "positives": 7, "rate": 0.35, "low": 0.15, "high": 0.59, "test": "a late peak"})  # fmt: skip
    rows.append({"claim": "fig3.lambada", "note": "no Pythia in a generated world."})
    return _filled(CERTIFICATES, rows)


def multiverse():
    """Eighteen specifications a modality; the kernel decides, the regions do not."""
    rows = [
        {"claim": "score_performance", "modality": modality, "kernel": kernel, "estimator": estimator, "bins": 8}
        | {
            "binning": "block",
            "regions": regions,
            "statistic": "pearson",
            "n": 24,
            "estimate": 0.4 * place + 0.01 * side,
        }
        | {"low": 0.4 * place - 0.2, "high": 0.4 * place + 0.2, "interval": "Fisher", "supports": place > 0}
        | {"main": kernel == "c=1" and estimator == "debiased" and regions == "top .05"}
        for modality in ("vision", "language")
        for place, kernel in enumerate(KERNELS)
        for estimator in ("biased", "debiased")
        for side, regions in enumerate(REGIONS)
    ]
    parts = [
        {
            "claim": "score_performance",
            "modality": modality,
            "choice": choice,
            "levels": 3,
            "first": share,
            "total": share,
        }
        | {"support_least": 0.0, "support_most": 1.0, "least": "linear", "most": "sigma=9", "support": 0.67}
        for modality in ("vision", "language")
        for choice, share in (("kernel", 0.98), ("regions", 0.02), ("all", 1.0))
    ]
    return {"specifications": _filled(SPECIFICATIONS, rows), "components": _filled(COMPONENTS, parts)}
