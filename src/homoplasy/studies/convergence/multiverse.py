"""Which choice of an analysis its results hang on most, and how many of all choices support a claim."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from homoplasy.maths import variance_components
from homoplasy.tables import COMPONENTS, GATHERED

CHOICES = ("kernel", "estimator", "bins", "binning", "regions", "statistic", "given")
ALL = "all"
_NAN = float("nan")


def components(table: pd.DataFrame, further: tuple[str, ...] = ()) -> pd.DataFrame:
    """Variance components and support by claim, modality and choice (`tables.COMPONENTS`).

    `table` is `tables.SPECIFICATIONS`, with further columns of choices beside it where experiments are put side by
    side. The variance is taken apart over the full factorial; an option that is not crossed with all others (the
    regions of the main cell, for one) is left out of it.
    """
    rows = []
    for (claim, modality), group in table.groupby(["claim", "modality"], sort=True):
        about = {"claim": claim, "modality": modality}
        rows += [about | row for row in _of_claim(group, (*further, *CHOICES))]
    return COMPONENTS.check(pd.DataFrame(rows)) if rows else COMPONENTS.empty()


def side_by_side(parts: Mapping[str, tuple[Mapping[str, str], pd.DataFrame]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All specifications of several experiments, and components in which their settings are choices too.

    `parts` names each experiment with its settings and its `tables.SPECIFICATIONS`; settings that are the same in all
    are left out. Of experiments with the same settings the first by name counts.
    """
    settings = pd.DataFrame({name: given for name, (given, _) in sorted(parts.items())}, dtype="object").T.fillna("")
    varied = [str(key) for key in settings.columns if settings[key].nunique() > 1]
    distinct = settings[~settings[varied].duplicated()] if varied else settings.iloc[:1]
    told = {name: " ".join(f"{key}={row[key]}" for key in varied) for name, row in distinct.iterrows()}
    tables = [
        parts[str(name)][1].assign(experiment=str(name), settings=told[name], **{key: str(row[key]) for key in varied})
        for name, row in distinct.iterrows()
    ]
    if not tables:
        return GATHERED.empty(), COMPONENTS.empty()
    found = pd.concat(tables, ignore_index=True)
    return GATHERED.check(found.drop(columns=varied)), components(found, tuple(varied))


def _of_claim(group: pd.DataFrame, choices: tuple[str, ...]) -> list[dict[str, Any]]:
    known = group[np.isfinite(group["estimate"])]
    support = float(known["supports"].mean()) if len(known) else _NAN
    whole = {"specifications": len(known), "support": support}
    varied = [choice for choice in choices if group[choice].nunique() > 1]
    grid, levels = factorial(group, varied)
    parts = variance_components.shares(grid) if grid.size and varied else None
    crossed = int(np.isfinite(grid).sum()) if grid.size else 0
    note = f"{crossed} of {len(group)} specifications are a full factorial" if parts else "no full factorial"
    rows: list[dict[str, Any]] = [
        {"choice": choice, "levels": len(levels[choice]), "note": note}
        | {"first": float(parts.first[place]) if parts else _NAN, "total": float(parts.total[place]) if parts else _NAN}
        | _extremes(known, choice)
        for place, choice in enumerate(varied)
    ]
    nothing = {"first": _NAN, "total": _NAN, "support_least": _NAN, "support_most": _NAN, "least": "", "most": ""}
    rows.append(nothing | {"choice": ALL, "levels": 0, "note": note})
    return [row | whole for row in rows]


def _extremes(known: pd.DataFrame, choice: str) -> dict[str, Any]:
    """The options under which the claim has least and most support."""
    shares = known.groupby(choice)["supports"].mean()
    if shares.empty:
        return {"support_least": _NAN, "support_most": _NAN, "least": "", "most": ""}
    ends = {"support_least": float(shares.min()), "support_most": float(shares.max())}
    return ends | {"least": str(shares.idxmin()), "most": str(shares.idxmax())}


def factorial(group: pd.DataFrame, choices: list[str]) -> tuple[NDArray[np.float64], Mapping[str, list[Any]]]:
    """The estimates as an array with an axis a choice; options that are not crossed with all others are left out.

    The option that lacks most cells goes first, until no cell is empty.
    """
    kept = group[np.isfinite(group["estimate"])]
    while len(kept):
        sizes = {choice: kept[choice].nunique() for choice in choices}
        full = int(np.prod(list(sizes.values())))
        if len(kept) == full:
            break
        filled = {
            (choice, option): count * sizes[choice] / full
            for choice in choices
            for option, count in kept[choice].value_counts(sort=False).items()
            if sizes[choice] > 1
        }
        choice, option = min(filled, key=lambda one: (filled[one], str(one)))
        kept = kept[kept[choice] != option]
    levels = {choice: sorted(kept[choice].unique().tolist()) for choice in choices}
    ordered = kept.sort_values(choices, kind="stable") if choices else kept
    shape = [len(levels[choice]) for choice in choices]
    return ordered["estimate"].to_numpy(np.float64).reshape(shape), levels


def page(gathered: pd.DataFrame, components: pd.DataFrame) -> str:
    """Both tables of the experiments in short, as Markdown: a line a claim."""
    told = gathered.drop_duplicates("experiment").set_index("experiment")["settings"]
    named = [f"- {name}: {settings}" for name, settings in told.items()]
    head = ["claim", "models", *told.index, "choice that moves the estimate most"]
    lines = ["# The multiverse", "", _ABOUT, "", *named, "", f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    varied = components[components["choice"] != "all"].dropna(subset=["total"])
    for (claim, modality), group in gathered.groupby(["claim", "modality"], sort=True):
        shares = group.groupby("experiment")["supports"].agg(["sum", "size"]).reindex(told.index)
        cells = [f"{100 * row['sum'] / row['size']:.0f} % of {row['size']:.0f}" for _, row in shares.iterrows()]
        mine = varied[(varied["claim"] == claim) & (varied["modality"] == modality)].nlargest(1, "total")
        most = [f"{row['choice']} ({100 * row['total']:.0f} % of the variance)" for _, row in mine.iterrows()]
        lines.append(f"| {' | '.join([str(claim).replace('_', ' '), str(modality), *cells, *(most or ['–'])])} |")
    return "\n".join(lines) + "\n"


_ABOUT = (
    "The share of specifications that support each claim, by experiment, and the choice that explains most of the "
    "spread of estimates over all of them, with the interactions in which it takes part."
)
