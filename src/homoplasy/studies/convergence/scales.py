"""What happens to the score of a region when the kernel is made wider, and what of that is its size or noise."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from homoplasy.maths import correlation, regression, signs
from homoplasy.studies.convergence.readings import Reading
from homoplasy.tables import FACTS, SCALES

_AVERAGED = ("value", "ceiling", "null_mean", "null_sd", "target_units", "target_pr")
_ABOUT_REGIONS = ("log_voxels", "ncsnr", "pr")
_NUMBERS = [name for name, kind in SCALES.columns.items() if kind == "number"]
_NAN = float("nan")


class Scale(NamedTuple):
    """Two widths of one kernel; `standardised` scores are z over regions and subjects before they are compared."""

    name: str
    narrow: Reading
    wide: Reading
    standardised: bool


def pairs(kernel_unit: float) -> list[Scale]:
    """The calibrated pair (half and twice the median, debiased) and the released one (28 and 68, biased, as z)."""
    half, twice = (Reading("relative", size, "debiased", 1.0) for size in (0.5, 2.0))
    narrow, wide = (Reading("absolute", size * kernel_unit, "biased", 1.0) for size in (28, 68))
    return [
        Scale("calibrated", half, twice, standardised=False),
        Scale("released", narrow, wide, standardised=True),
    ]


class Change(NamedTuple):
    """The change of every region in every subject, with the means that belong to it."""

    delta: pd.DataFrame  # subject x region
    raw: pd.DataFrame
    about: pd.DataFrame  # region x what is averaged


def change(binned: pd.DataFrame, members: list[str], scale: Scale, modality: str, depth: int) -> Change | None:
    """Score at the wide kernel minus score at the narrow one, mean over layers at one depth bin, then models."""
    here = binned[binned["source"].isin(members) & (binned["modality"] == modality) & (binned["bin"] == depth)]
    narrow, wide = (_by_region(reading.of(here)) for reading in (scale.narrow, scale.wide))
    if narrow.empty or wide.empty:
        return None
    values = [one["value"].unstack("region") for one in (narrow, wide)]
    raw = values[1] - values[0]
    delta = _z(values[1]) - _z(values[0]) if scale.standardised else raw
    about = narrow.groupby(level="region").mean()
    about["sd"] = (narrow["null_sd"] + wide["null_sd"]).groupby(level="region").mean()
    about["shift"] = (wide["null_mean"] - narrow["null_mean"]).groupby(level="region").mean()
    kept = delta.columns[delta.notna().all()]
    return Change(delta[kept], raw[kept], about.loc[kept]) if len(kept) else None


def _by_region(rows: pd.DataFrame) -> pd.DataFrame:
    columns = list(_AVERAGED)
    models = rows.groupby(["source", "subject", "region"])[columns].mean()
    return models.groupby(level=["subject", "region"]).mean()


def _z(values: pd.DataFrame) -> pd.DataFrame:
    """(score - mean) / sd over all regions and subjects, ddof 1."""
    return (values - np.nanmean(values)) / np.nanstd(values.to_numpy(np.float64), ddof=1)


def scales(found: Change, scale: Scale, modality: str, regions: pd.DataFrame) -> pd.DataFrame:
    """A row a region (`tables.SCALES`); `regions` is indexed by region, with network, ncsnr and anterior.

    Beside the interval over subjects stands what chance alone would give: its sd is at most the sum of the two exact
    null sds of one score; a mean over models and subjects varies less.
    """
    delta = found.delta.mean()
    known = regions.reindex(delta.index)
    table = pd.DataFrame(
        {"delta": delta, "raw": found.raw.mean(), "ncsnr": known["ncsnr"], "anterior": known["anterior"]}
    )
    table["network"] = known["network"].fillna("")
    table["corrected"] = table["raw"] / found.about["ceiling"]
    table["agreement"] = (np.sign(found.delta) == np.sign(delta)).mean()
    table["voxels"], table["pr"] = found.about["target_units"], found.about["target_pr"]
    centre, reach = found.about["shift"], 1.96 * found.about["sd"]
    table["null_low"], table["null_high"] = (_NAN, _NAN) if scale.standardised else (centre - reach, centre + reach)
    half = _half_width(found.delta)
    table["low"], table["high"] = delta - half, delta + half
    table["residual"] = _left(found.delta, table).mean()
    table["residual_low"], table["residual_high"] = table["residual"] - half, table["residual"] + half
    named = table.rename_axis("region").reset_index().assign(reading=scale.name, modality=modality)
    return SCALES.check(named.astype(dict.fromkeys(_NUMBERS, "float64")))


def _half_width(values: pd.DataFrame) -> pd.Series:
    """Half of Student's 95 % interval of a mean over rows."""
    n = len(values)
    return values.std() / np.sqrt(n) * (stats.t.ppf(0.975, n - 1) if n > 1 else _NAN)


def _design(table: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Ones, and ln voxels, ncsnr and participation ratio as z, of the regions that have them; none of too few."""
    about = table.assign(log_voxels=np.log(table["voxels"].where(table["voxels"] > 0)))[list(_ABOUT_REGIONS)]
    known = about.notna().all(axis=1)
    if known.sum() < len(_ABOUT_REGIONS) + 3 or (about[known].std() == 0).any():
        known[:] = False
    z = (about[known] - about[known].mean()) / about[known].std()
    return regression.with_intercept(*z.to_numpy(np.float64).T), known.to_numpy()


def _left(values: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """What size, noise and spread of regions leave of the rows of `values`; NaN where they are not known."""
    design, known = _design(table)
    left = np.full(values.shape, np.nan)
    if known.any():
        left[:, known] = correlation.residual(values.to_numpy(np.float64)[:, known].T, design).T
    return pd.DataFrame(left, values.index, values.columns)


def facts(found: Change, table: pd.DataFrame, scale: Scale, modality: str) -> pd.DataFrame:
    """Whether subjects agree, what the change goes with, whether it grows to the front (`tables.FACTS`)."""
    networks = table.set_index("region")["network"]
    rows = [
        _agreement(found.delta, networks, "sign_consistency"),
        _agreement(found.raw, networks, "raw_sign_consistency"),
    ]
    left = _left(found.delta, table).dropna(axis=1)
    if left.shape[1]:
        rows.append(_agreement(left, networks, "residual_sign_consistency"))
    rows.append(_rank("voxels_rho", table["voxels"], table["raw"], "Spearman of the raw change with voxels"))
    rows.append(_rank("gradient_rho", table["anterior"], table["delta"], _TOWARDS))
    rows.append(_rank("residual_gradient_rho", table["anterior"], table["residual"], f"{_TOWARDS}; {_LEAVES}"))
    design, known = _design(table)
    if known.any():
        weights = regression.clustered(table["delta"].to_numpy(np.float64)[known], design, np.arange(known.sum()))
        rows += [_weight(weights, name, place, len(table)) for place, name in enumerate(_ABOUT_REGIONS, start=1)]
    for column in ("delta", "residual"):
        for network, group in table[table["network"] != ""].dropna(subset=[column]).groupby("network"):
            mean, half = float(group[column].mean()), float(_half_width(group[[column]]).iloc[0])
            note = "Student's t over the regions" + ("" if column == "delta" else f"; {_LEAVES}")
            row = _fact(f"network_{column}", mean, len(group), item=str(network), note=note)
            rows.append(row | {"low": mean - half, "high": mean + half})
    about = {"reading": scale.name, "modality": modality}
    return FACTS.check(pd.DataFrame([about | row for row in rows]))


_TOWARDS = "Spearman with the position from back to front; neighbours are alike, so its p is too small"
_LEAVES = "of what ln voxels, ncsnr and participation ratio leave"


def _agreement(delta: pd.DataFrame, networks: pd.Series, name: str) -> dict[str, object]:
    """Regions of one network are alike: the interval is Student's, over networks, not over regions."""
    values = delta.to_numpy(np.float64)
    if len(values) < 2:
        return _fact(name, _NAN, values.shape[1], note="one subject only")
    least = 2 ** (len(values) - 1)
    note = f"chance {signs.chance(len(values)):.4f}; p by turning the signs of whole subjects, at best 1/{least}"
    network = networks.reindex(delta.columns)
    groups = network.where(network != "", delta.columns).to_numpy(str)
    found = regression.clustered(signs.shares(values), np.ones((values.shape[1], 1)), groups)
    row = _fact(name, signs.consistency(values), values.shape[1], p=signs.flip_p(values), note=note)
    return row | {"low": max(0.0, float(found.low[0])), "high": min(1.0, float(found.high[0]))}


def _rank(name: str, x: pd.Series, y: pd.Series, note: str) -> dict[str, object]:
    known = x.notna() & y.notna()
    a, b = x[known].to_numpy(np.float64), y[known].to_numpy(np.float64)
    rho = correlation.correlation(a, b, method="spearman")
    low, high = correlation.fisher_interval(rho, len(a), method="spearman")
    p = correlation.p_value(rho, len(a))
    return _fact(name, rho, len(a), p=p, note=note) | {"low": low, "high": high}


def _weight(found: regression.Estimates, name: str, place: int, n: int) -> dict[str, object]:
    bounds = {"low": float(found.low[place]), "high": float(found.high[place])}
    note = "change of delta for one sd, all three together; errors robust to unequal variance"
    return _fact(f"slope_{name}", float(found.coefficients[place]), n, p=float(found.p[place]), note=note) | bounds


def _fact(name: str, value: float, n: int, item: str = "", p: float = _NAN, note: str = "") -> dict[str, object]:
    return {"fact": name, "item": item, "value": value, "low": _NAN, "high": _NAN, "p": p, "n": n, "note": note}


def by_region(regions: pd.DataFrame, anterior: Mapping[str, float]) -> pd.DataFrame:
    """Network, means over subjects of voxels and ncsnr, and position of every region, from the table of regions."""
    pooled = regions[regions["hemisphere"] == "both"]
    kept = pooled if len(pooled) else regions
    table = kept.groupby("region").agg(network=("network", "first"), ncsnr=("ncsnr", "mean"), voxels=("voxels", "mean"))
    return table.assign(anterior=[anterior.get(str(name), _NAN) for name in table.index])
