"""What becomes of one region: which voxels are kept, how reliable they are, and why a region carries no patterns."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from homoplasy.errors import BadData, WorkFailed
from homoplasy.maths import ceilings

GUARDED = "V1"  # the region whose repeats must agree, or trials and pictures are not paired rightly
SIDES = ("both", "left", "right")
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Rules:
    """How trials become patterns; the fields are those of the stage's settings."""

    session_zscore: bool
    unit: Literal["percent", "int16"]
    min_voxels: int
    voxel_unit: float  # voxels here that stand for one of the real study
    ncsnr_min: float
    dropout_max: float
    pairing_sd: float
    networks: Literal["xcpd", "study"]

    @property
    def fewest(self) -> int:
        """The voxels that a region needs in this world."""
        return math.ceil(self.min_voxels * self.voxel_unit)


@dataclass(frozen=True, eq=False)
class Labelled:
    """The labelled voxels of one region: where they lie and what NSD ships of them; arrays have one entry a voxel."""

    name: str
    columns: NDArray[np.int64]  # among all labelled voxels of the subject
    voxels: NDArray[np.int64]
    right: Mask
    constant: Mask  # in any session
    dropout: NDArray[np.float32]
    shipped: NDArray[np.float32]
    networks: tuple[str, str]

    def part(self, side: str) -> Mask:
        """The voxels of a side."""
        return {"both": np.ones_like(self.right), "left": ~self.right, "right": self.right}[side]


@dataclass(frozen=True, eq=False)
class Region:
    """A region after judgement: `kept` are columns, `facts` go beside its array, `rows` and `voxels` into tables."""

    name: str
    kept: NDArray[np.int64]
    units: NDArray[np.int64]
    reason: str
    facts: Mapping[str, Any]
    rows: list[dict[str, Any]]
    voxels: pd.DataFrame


def judge(of: Labelled, trials: NDArray[np.float32], places: NDArray[np.int64], rules: Rules) -> Region:
    """Choose the voxels of a region and measure them; `trials` are its (trials, voxels), `places` (repeat, image)."""
    varying = ~of.constant
    received = varying & ~(of.dropout > rules.dropout_max)
    snr, ceiling = np.full((2, of.columns.size), np.nan)
    snr[received], ceiling[received] = _reliability(trials[:, received], places, rules)
    kept = received & ~(np.nan_to_num(snr) < rules.ncsnr_min)
    removed = {"constant": of.constant, "dropout": varying & ~received, "unreliable": received & ~kept}
    limits = _limits(of, kept, trials, places, rules)
    rows = [_row(of, side, kept, removed, (snr, ceiling), limits[side]) for side in SIDES]
    if of.name == GUARDED and rules.pairing_sd > 0:
        check_pairing(trials[:, kept], places, rules.pairing_sd)
    return Region(
        of.name,
        of.columns[kept],
        of.voxels[kept],
        rows[0]["reason"],
        _facts(of, rows, limits),
        rows,
        _voxel_rows(of, kept, snr, ceiling),
    )


def repeats(trials: NDArray[np.float32], places: NDArray[np.int64]) -> tuple[NDArray[np.float32], Mask]:
    """Order trials by showing and image, (r, n, v); what was never shown holds another trial and is masked."""
    return trials[np.maximum(places, 0)], places >= 0


def _reliability(
    trials: NDArray[np.float32], places: NDArray[np.int64], rules: Rules
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Noise-ceiling SNR and variance ceiling of every voxel, from the betas themselves."""
    ordered, shown = repeats(trials, places)
    noise = ceilings.noise_variance(ordered, shown, ceilings.mean_response(ordered, shown))
    one = np.ones_like(noise)
    total = one if rules.session_zscore else trials.var(axis=0, ddof=1, dtype=np.float64)
    snr = ceilings.ncsnr(noise, total)
    return snr, ceilings.variance_ceiling(snr, shown.sum(axis=0))


def _limits(
    of: Labelled, kept: Mask, trials: NDArray[np.float32], places: NDArray[np.int64], rules: Rules
) -> dict[str, tuple[ceilings.Ceiling, str]]:
    """CKA ceiling and reason for the region and for each side that has enough voxels."""
    ordered, shown = repeats(trials, places)
    mean = torch.from_numpy(ceilings.mean_response(ordered, shown))
    values, there = torch.from_numpy(ordered), torch.from_numpy(shown)
    out = {}
    for side in SIDES:
        chosen = torch.from_numpy(kept & of.part(side))
        if int(chosen.sum()) < rules.fewest:
            out[side] = (ceilings.Ceiling(float("nan")), "too_few_voxels")
        else:
            out[side] = (ceilings.cka_ceiling(values[:, :, chosen], there, mean[:, chosen]), "")
    return out


def _row(
    of: Labelled,
    side: str,
    kept: Mask,
    removed: Mapping[str, Mask],
    reliability: tuple[NDArray[np.float64], NDArray[np.float64]],
    limit: tuple[ceilings.Ceiling, str],
) -> dict[str, Any]:
    part = of.part(side)
    chosen = kept & part
    return {
        "region": of.name,
        "hemisphere": side,
        "voxels_labelled": int(part.sum()),
        **{f"voxels_{why}": int((lost & part).sum()) for why, lost in removed.items()},
        "voxels": int(chosen.sum()),
        "ncsnr": _mean(reliability[0][chosen]),
        "ncsnr_shipped": _mean(of.shipped[chosen]),
        "variance_ceiling": _mean(reliability[1][chosen]),
        "ceiling": limit[0].value,
        "ceiling_z": limit[0].z,
        "network": of.networks[int(_mostly_right(of) if side == "both" else side == "right")],
        "reason": limit[1],
    }


def _mostly_right(of: Labelled) -> bool:
    """Where the hemispheres lie in different networks, the pooled region goes with the larger part."""
    return bool(of.right.mean() > 0.5)


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean(dtype=np.float64)) if values.size else float("nan")


def _facts(
    of: Labelled,
    rows: list[dict[str, Any]],
    limits: Mapping[str, tuple[ceilings.Ceiling, str]],
) -> dict[str, Any]:
    both, left, right = (None if np.isnan(row["ceiling"]) else row["ceiling"] for row in rows)
    return {
        "region": of.name,
        "network": rows[0]["network"],
        "network_left": of.networks[0],
        "network_right": of.networks[1],
        "left": rows[1]["voxels"],
        "ceiling": both,
        "ceiling_left": left,
        "ceiling_right": right,
        "ceiling_reason": limits["both"][0].reason,
        "reason_left": rows[1]["reason"],
        "reason_right": rows[2]["reason"],
    }


def _voxel_rows(of: Labelled, kept: Mask, snr: NDArray[np.float64], ceiling: NDArray[np.float64]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "region": of.name,
            "hemisphere": np.where(of.right[kept], "right", "left"),
            "voxel": of.voxels[kept],
            "ncsnr": snr[kept],
            "ncsnr_shipped": of.shipped[kept].astype(np.float64),
            "dropout": of.dropout[kept].astype(np.float64),
            "variance_ceiling": ceiling[kept],
        }
    )


def check_pairing(trials: NDArray[np.float32], places: NDArray[np.int64], least: float) -> None:
    """Stop if the first two showings of an image do not resemble each other more than those of two images do."""
    twice = (places[:2] >= 0).all(axis=0) if len(places) > 1 else np.zeros(0, dtype=bool)
    if trials.shape[1] == 0 or twice.sum() < 4:
        raise WorkFailed(
            f"whether trials and pictures are paired rightly cannot be checked: it takes voxels of {GUARDED} and four "
            "pictures shown twice; fetch more sessions, or set parcellate.pairing_sd to 0."
        )
    first, second = (torch.from_numpy(trials[places[k][twice]]) for k in (0, 1))
    mean, sd = ceilings.agreement(first, second)
    if not mean > least * sd:
        raise BadData(
            f"pairing broken: repeats of a picture in {GUARDED} correlate by {mean:.4f}, {mean / sd:.1f} sd of their "
            f"re-pairing distribution, expected more than {least:g}; check that the session files are in their places."
        )
