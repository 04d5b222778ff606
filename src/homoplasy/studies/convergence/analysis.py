"""The study in one call: brain scores in two readings, what they go with, where they sit, how far from chance."""

from dataclasses import dataclass, replace

import pandas as pd

from homoplasy.errors import BadRequest, listing
from homoplasy.studies.convergence import brain_score, correlations, halves, profiles
from homoplasy.studies.convergence.further import Around, Plan, further, nothing
from homoplasy.studies.convergence.readings import Reading, available, side_by_side, union


@dataclass(frozen=True)
class Choices:
    """What is free in the analysis."""

    reading: Reading
    kernel_unit: float
    depth_bins: int
    binning: str
    depth: int
    draws: int
    seed: int
    umap: int = 0  # planes by UMAP, each with its seed


@dataclass(frozen=True)
class Results:
    """The tables of the study, and the few numbers to compare runs by."""

    model_scores: pd.DataFrame
    correlations: pd.DataFrame
    profiles: pd.DataFrame
    spreads: pd.DataFrame
    more: dict[str, pd.DataFrame]  # every other table, by the name of its schema
    metrics: dict[str, dict[str, float | int | None]]

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables by the names of their schemas."""
        main = ("model_scores", "correlations", "profiles", "spreads")
        return {name: getattr(self, name) for name in main} | self.more

    def beside(self, **tables: pd.DataFrame) -> "Results":
        """The same with other tables beside it, by the names of their schemas."""
        return replace(self, more=self.more | tables)


def analyse(
    choices: Choices,
    scores: pd.DataFrame,
    models: pd.DataFrame,
    performance: pd.DataFrame,
    around: Around | None = None,
    drawn: pd.DataFrame | None = None,
) -> Results:
    """Score every model in the chosen reading and its counterpart, and correlate.

    `around` holds what the other results need: regions and training curves; without it their tables are empty. `drawn`
    are scores of both halves of the images (`tables.DRAWS`); a reading that has them chooses regions on the other half.
    """
    first = 1 if choices.binning == "block" else 0
    if not first <= choices.depth <= choices.depth_bins:
        raise BadRequest(
            f"stats.depth is {choices.depth}, but the {choices.depth_bins} bins of stats.depth_bins are numbered "
            f"{first} to {choices.depth_bins}."
        )
    binned = brain_score.with_bins(scores, models, choices.depth_bins, choices.binning)
    by_region = scores["target"].nunique() > 1
    readings = side_by_side(choices.reading, choices.kernel_unit, every_region=by_region)
    split = _halves(drawn, binned, models, readings, choices.depth)
    table = union(
        brain_score.model_scores(binned, models, performance, one, choices.depth, split.get(one.name))
        for one in readings
    )
    members = table.loc[table["counted"], "model"].unique().tolist()
    found = correlations.correlations(table, choices.draws, choices.seed)
    people: dict[str, pd.DataFrame] = {}
    if by_region:
        people = {one.name: brain_score.by_subject(binned, one, choices.depth, split.get(one.name)) for one in readings}
        found = union([found, correlations.by_subject(table, people)])
    maps = union(profiles.profiles(binned, members, one) for one in readings[:2])
    spread = union(profiles.spreads(binned, members, one) for one in readings[:2])
    looked = (choices.depth_bins, choices.depth, choices.draws, choices.seed)
    plan = Plan(readings[:2], choices.kernel_unit, *looked, split, people, choices.umap)
    more = further(plan, binned, table, around) if around is not None and by_region else nothing()
    return Results(table, found, maps, spread, more, correlations.metrics(found, spread))


def _halves(
    drawn: pd.DataFrame | None, binned: pd.DataFrame, models: pd.DataFrame, readings: list[Reading], depth: int
) -> dict[str, pd.DataFrame]:
    """Scores of both halves by the reading that has them, of all models but checkpoints."""
    if drawn is None or drawn.empty:
        return {}
    whole = binned[binned["source"].isin(models.loc[models["run"] == "", "model"]) & (binned["bin"] == depth)]
    found = {one.name: halves.of_reading(drawn, one.of(whole)) for one in readings if one.top_share < 1}
    return {name: table for name, table in found.items() if len(table)}


def require(reading: Reading, scores: pd.DataFrame) -> None:
    """Refuse a reading that no score answers to, naming those there are."""
    if reading.of(scores).empty:
        raise BadRequest(
            f"stats asks for scores with '{reading.params}', which cka did not compute; it has "
            f"{listing(available(scores), 40)}. Change stats.kernel, size or estimator, or the widths of section cka."
        )
