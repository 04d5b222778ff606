"""A reading: which of the scores are taken for `the` score of a pair. Two stand side by side in every result."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

Kernel = Literal["linear", "absolute", "relative"]
Estimator = Literal["biased", "debiased"]

NAMES = {"debiased": "calibrated", "biased": "released"}  # the name tells whether chance was taken out


@dataclass(frozen=True)
class Reading:
    """A kernel, its width in the data's own units, an estimator, and the share of regions that count."""

    kernel: Kernel
    size: float
    estimator: Estimator
    top_share: float

    @property
    def name(self) -> str:
        """What it is called in tables and reports."""
        return NAMES[self.estimator] + (".all" if self.top_share == 1 else "")

    @property
    def measure(self) -> str:
        """Its measure in the table of scores."""
        return "cka.linear" if self.kernel == "linear" else "cka.rbf"

    @property
    def params(self) -> str:
        """Its parameters in the table of scores.

        >>> Reading("absolute", 9.0, "biased", 0.05).params
        'sigma=9 biased'
        """
        width = {"linear": "linear", "absolute": f"sigma={self.size:g}", "relative": f"c={self.size:g}"}[self.kernel]
        return f"{width} {self.estimator}"

    def of(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Take its rows; left and right regions only where the pooled ones are absent."""
        mine = scores[(scores["measure"] == self.measure) & (scores["params"] == self.params)]
        pooled = mine["target"] == mine["subject"] + "/" + mine["region"]
        return mine[pooled] if pooled.any() else mine


def side_by_side(own: Reading, kernel_unit: float, *, every_region: bool) -> list[Reading]:
    """Give the reading that was chosen and its counterpart, which differs only in kernel and estimator.

    The counterpart of a debiased reading is the released one (biased, width 36); of a biased one, the calibrated
    (debiased, width 1 median). With `every_region` each comes again as the mean over all regions.
    """
    released = replace(own, kernel="absolute", size=36 * kernel_unit, estimator="biased")
    calibrated = replace(own, kernel="relative", size=1.0, estimator="debiased")
    pair = [own, released] if own.estimator == "debiased" else [calibrated, own]
    return pair + [replace(one, top_share=1.0) for one in pair if every_region and own.top_share < 1]


def available(scores: pd.DataFrame) -> list[str]:
    """Name the parameters that the table holds."""
    return sorted(scores["params"].unique())


def union(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Stack tables that have the same columns; empty ones would blur the types."""
    kept = list(parts)
    return pd.concat([part for part in kept if len(part)] or kept[:1], ignore_index=True)
