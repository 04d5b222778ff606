"""As many voxels of every region: what is left of differences between regions that only their size has made.

Debiasing takes the floor away, not what is lost to noise and to a small sample of voxels. So every region gives as many
voxels, v0, again and again, and what its repeats share corrects the rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy import stats

from homoplasy.maths.ceilings import Ceiling, Reliability
from homoplasy.tables import MATCHED, MATCHED_SCALES

NARROW, WIDE = 0.5, 2.0  # multiples of the median distance (S15)

_WHERE = ["source", "modality", "subject", "region"]


def voxels(counts: Sequence[int], share: float) -> int:
    """v0: that quantile of the voxel counts of all regions, at least 2 (so it is where there is no region).

    >>> voxels([10, 20, 30, 40, 50, 60], 0.2)
    20
    """
    return max(2, int(np.quantile(counts, share))) if counts else 2


def draws(count: int, of: int, name: str, seed: int, take: int) -> list[Int[np.ndarray, " _"]]:
    """The places of `take` of so many voxels, without replacement, in each of some draws; they go by the name."""
    streams = np.random.SeedSequence([seed, *name.encode()]).spawn(count)
    return [np.sort(np.random.default_rng(stream).permutation(of)[:take]) for stream in streams]


@dataclass(frozen=True)
class Drawn:
    """Scores of all layers with the subsets of one region, and what the repeats of each subset share."""

    kernels: Mapping[tuple[str, str, str], Float[np.ndarray, "s d"]]  # by measure, kernel and estimator
    centred: Float[np.ndarray, "s d"]  # CKA_u with linear kernels, patterns centred but not scaled
    shared: Reliability | None  # mean over subsets
    whole: Float[np.ndarray, " d"]  # h(Y_d, Y_d) of every subset

    @property
    def ceiling(self) -> Ceiling:
        """Ceiling of so many voxels."""
        return self.shared.ceiling if self.shared else Ceiling(float("nan"), "no_repeats")

    @property
    def corrected(self) -> Float[np.ndarray, " s"]:
        """Mean h(X, Y_d) / sqrt(h(X, X) mean h(Y_da, Y_db)), means over subsets d: none of them may be left out.

        A subset whose repeats happen to share little would blow up a ratio of its own, and dropping it would keep those
        whose repeats happen to share much, for which the ratio is too small.
        """
        if self.shared is None or self.ceiling.reason:
            return np.full(len(self.centred), np.nan)
        inner: Float[np.ndarray, " s"] = (self.centred * np.sqrt(self.whole)).mean(1)
        return inner / np.sqrt(self.shared.shared)


def matched(cells: pd.DataFrame, drawn: Drawn | None, take: int, reasons: Sequence[str]) -> pd.DataFrame:
    """The rows of one region (`tables.MATCHED`); `cells` are its layers, `reasons` why one has no kernel."""
    if drawn is None:
        return cells.assign(measure="cka.linear", kernel="linear", voxels=0, draws=0, **_NOTHING, reason="few_voxels")
    parts = []
    for measure, kernel in dict.fromkeys(key[:2] for key in drawn.kernels):
        raw, calibrated = (drawn.kernels[measure, kernel, one] for one in ("biased", "debiased"))
        numbers = {
            "raw": raw.mean(1),
            "calibrated": calibrated.mean(1),
            "spread": calibrated.std(1, ddof=1) if calibrated.shape[1] > 1 else np.nan,
            "corrected": drawn.corrected if kernel == "linear" else np.nan,
        }
        about = {"measure": measure, "kernel": kernel, "voxels": take, "draws": raw.shape[1]}
        parts.append(cells.assign(**about, **numbers, reason=list(reasons)))
    return pd.concat(parts, ignore_index=True)


_NOTHING = dict.fromkeys(("raw", "calibrated", "spread", "corrected"), np.nan)


def together(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """All rows (`tables.MATCHED`)."""
    every = pd.concat(parts, ignore_index=True)
    return MATCHED.check(every.astype({"reason": "str", "measure": "str", "kernel": "str"}))


def matched_scales(
    table: pd.DataFrame, audit: pd.DataFrame, ceilings: pd.DataFrame, models: pd.DataFrame
) -> pd.DataFrame:
    """The change from half to twice the median width with equally many voxels (`tables.MATCHED_SCALES`).

    `table` is `tables.MATCHED`; of `audit` the same layers are taken, with all voxels. Checkpoints are left out.
    """
    whole = models[(models["run"] == "") & (models["reason"] == "")].set_index("model")["modality"]
    mine = table[table["source"].isin(whole.index) & table["raw"].notna()]
    if mine.empty:
        return MATCHED_SCALES.empty()
    layers = mine[["source", "layer", "target"]].drop_duplicates()
    full = audit[audit["source"].isin(whole.index)].merge(layers, on=["source", "layer", "target"])
    values = {f"matched_{name}": mine[mine["kernel"] == _kernel(c)] for name, c in _ENDS.items()}
    values |= {name: full[full["kernel"] == _kernel(c)] for name, c in _ENDS.items()}
    wide = pd.DataFrame({name: _over_models(rows, whole) for name, rows in values.items()})
    wide["delta"], wide["matched_delta"] = wide["wide"] - wide["narrow"], wide["matched_wide"] - wide["matched_narrow"]
    known = ceilings.set_index(["subject", "region"])
    at = pd.MultiIndex.from_frame(wide.index.to_frame()[["subject", "region"]])
    wide["corrected"] = wide["delta"] / known["ceiling"].reindex(at).to_numpy()
    wide["matched_corrected"] = wide["matched_delta"] / known["matched_ceiling"].reindex(at).to_numpy()
    n = ceilings.set_index("subject")["n"].groupby(level=0).first()
    groups = wide.groupby(level=["modality", "region"])
    rows = groups.mean().assign(subjects=groups.size(), voxels=int(mine["voxels"].max()))
    models_of = mine.groupby(mine["source"].map(whole))["source"].nunique()
    rows["models"] = models_of.reindex(rows.index.get_level_values("modality")).to_numpy()
    rows["low"], rows["high"] = _interval(groups["matched_delta"])
    rows["corrected_low"], rows["corrected_high"] = _interval(groups["matched_corrected"])
    reach = 1.96 * 2 * float(np.sqrt(2 / (n * (n - 3))).mean())
    rows["null_low"], rows["null_high"] = -reach, reach
    return MATCHED_SCALES.check(rows.reset_index())


_ENDS = {"narrow": NARROW, "wide": WIDE}


def _kernel(width: float) -> str:
    return f"c={width:g}"


def _over_models(rows: pd.DataFrame, modality: pd.Series) -> pd.Series:
    """Mean over layers, then models, by modality, subject and region."""
    named = rows.assign(modality=rows["source"].map(modality))
    means = named.groupby(_WHERE)["calibrated"].mean()
    return means.groupby(level=["modality", "subject", "region"]).mean()


def _interval(values: Any) -> tuple[pd.Series, pd.Series]:
    """Student's 95 % interval of the mean of every group, of subjects; NaN for one."""
    count, mean = values.count(), values.mean()
    half = values.std() / np.sqrt(count) * stats.t.ppf(0.975, (count - 1).where(count > 1))
    return mean - half, mean + half
