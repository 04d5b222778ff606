"""Every other result of the study from one table of scores: sets of regions, depth, scale, agreement, planes, lags."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from homoplasy import tables
from homoplasy.studies.convergence import (
    agreement,
    associations,
    depths,
    effects,
    manifold,
    planes,
    region_sets,
    regressions,
    subjects,
)
from homoplasy.studies.convergence import scales as scale
from homoplasy.studies.convergence.associations import Question
from homoplasy.studies.convergence.readings import Reading, union
from homoplasy.studies.convergence.released_curves import released_curves
from homoplasy.studies.convergence.trajectories import SCORE, leads, measure_lags
from homoplasy.tables import Schema

SCHEMAS = (
    *(tables.REGION_SETS, tables.ASSOCIATIONS, tables.REGRESSIONS, tables.EFFECTS, tables.DEPTHS, tables.SCALES),
    *(tables.AGREEMENTS, tables.RANKS, tables.EMBEDDING, tables.LAGS, tables.FACTS),
)
QUESTIONS = (
    Question("score", "performance"),
    Question("score", "performance", ("log_width",)),
    Question("score", "performance", ("log_width", "log_parameters")),
    Question("score", "log_width"),
    Question("score", "log_width", ("performance",)),
    Question("score", "parameters"),
    Question("score", "parameters", ("log_width",)),
)
_READ = (
    *("source", "target", "region", "subject", "measure", "params", "value", "null_mean", "null_sd", "ceiling"),
    *("target_units", "target_pr", "modality", "layer", "bin"),
)
_IN_SETS = QUESTIONS[:2]


@dataclass(frozen=True)
class Around:
    """What is known beside the scores."""

    models: pd.DataFrame  # tables.MODELS
    performance: pd.DataFrame  # tables.PERFORMANCE
    regions: pd.DataFrame  # scales.by_region: network, voxels, ncsnr and anterior of every region
    curves: pd.DataFrame = field(default_factory=tables.CURVES.empty)  # performance along training
    reliability: pd.DataFrame | None = None  # ceiling_z by subject and region

    @property
    def networks(self) -> dict[str, str]:
        """The network of every region that has one."""
        return {str(region): str(network) for region, network in self.regions["network"].items()}

    @property
    def families(self) -> dict[str, str]:
        """The family of every model."""
        return dict(zip(self.models["model"], self.models["family"], strict=True))


@dataclass(frozen=True)
class Plan:
    """The two readings side by side, where they look, and how much is drawn."""

    readings: Sequence[Reading]
    kernel_unit: float
    depth_bins: int
    depth: int
    draws: int
    seed: int
    halves: Mapping[str, pd.DataFrame] = field(default_factory=dict)  # by reading, where there are any
    people: Mapping[str, pd.DataFrame] = field(default_factory=dict)  # by reading: scores of models in every subject
    umap: int = 0


def further(plan: Plan, binned: pd.DataFrame, model_scores: pd.DataFrame, around: Around) -> dict[str, pd.DataFrame]:
    """All tables by the name of their schema."""
    members = model_scores.loc[model_scores["counted"], "model"].unique().tolist()
    every, binned = binned, binned.loc[binned["source"].isin(members), list(_READ)]
    cells = union(depths.cells(binned, members, one) for one in plan.readings)
    share = plan.readings[0].top_share
    sets = region_sets.region_sets(cells, around.networks, share, plan.depth, around.reliability, plan.halves)
    tested = associations.per_benchmark(model_scores, around.performance)
    layers = dict(zip(around.models["model"], around.models["layers"], strict=True))
    points, plane_facts = _planes(plan, cells, around)
    changes = list(_changes(plan, binned, members, around))
    lags = measure_lags(_curves(plan, every, around), _modalities(around.models), plan.draws, plan.seed)
    facts = [
        depths.peaks(cells, around.families, plan.depth_bins, plan.draws, plan.seed),
        depths.contrasts(cells, around.regions, around.families, plan.draws, plan.seed),
        depths.modality_gap(
            _by_kernel(binned, members, plan.depth), around.families, plan.depth, plan.draws, plan.seed
        ),
        *(found for _, found in changes),
        plane_facts,
        leads(lags, plan.draws, plan.seed),
    ]
    return {
        "region_sets": sets,
        "associations": _associations(plan, tested, model_scores, sets),
        "regressions": regressions.regressions(tested, plan.draws, plan.seed),
        "effects": effects.effects(model_scores[model_scores["benchmark"] != ""], layers),
        "depths": depths.depths(cells, around.networks),
        "scales": _stacked([table for table, _ in changes], tables.SCALES),
        "agreements": agreement.agreements(cells, share, plan.depth, plan.halves),
        "ranks": agreement.ranks(binned, members, plan.depth),
        "embedding": points,
        "lags": lags,
        "facts": _stacked(facts, tables.FACTS),
    }


def nothing() -> dict[str, pd.DataFrame]:
    """The same tables, empty: for a world without regions and layers."""
    return {schema.name: schema.empty() for schema in SCHEMAS}


def _stacked(parts: Sequence[pd.DataFrame], schema: Schema) -> pd.DataFrame:
    kept = [part for part in parts if len(part)]
    return schema.check(pd.concat(kept, ignore_index=True)) if kept else schema.empty()


def _associations(plan: Plan, tested: pd.DataFrame, model_scores: pd.DataFrame, sets: pd.DataFrame) -> pd.DataFrame:
    """Every benchmark with the main score, also in each subject; the main benchmark with every set of regions."""
    main = associations.ask(tested, QUESTIONS, plan.draws, plan.seed)
    scored = tested[tested["counted"]].dropna(subset=["score"])
    alone = subjects.over_subjects(scored, plan.people, ("reading", "modality", "benchmark"))
    about = model_scores[~model_scores["reading"].str.endswith(".all")].drop(columns="score")
    others = sets.merge(about, on=["model", "modality", "reading"])
    others = others[others["regions"] != others["chosen"].replace("best", "top")]
    others = others.assign(reading=others["reading"] + "." + others["regions"])
    # the mean over all regions is a reading of its own in model_scores
    others = others[(others["benchmark"] != "") & ~others["reading"].isin(main["reading"])]
    own = associations.ask(others, _IN_SETS, plan.draws, plan.seed)
    return _stacked([main, associations.corrected(pd.DataFrame(alone)), own], tables.ASSOCIATIONS)


def _planes(plan: Plan, cells: pd.DataFrame, around: Around) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The plane of the calibrated profiles."""
    reading = plan.readings[0].name
    profiles = planes.profiles(cells[cells["reading"] == reading]) if len(cells) else cells
    if profiles.empty:
        return tables.EMBEDDING.empty(), tables.FACTS.empty()
    points, facts = planes.plane(profiles)
    drawn, trust = manifold.manifolds(profiles, plan.umap)
    rows = planes.nearer_language(profiles, around.families, plan.draws, plan.seed)
    found = _stacked([part.assign(reading=reading) for part in (facts, trust, pd.DataFrame(rows))], tables.FACTS)
    return _stacked([points, drawn], tables.EMBEDDING), found


def _changes(
    plan: Plan, binned: pd.DataFrame, members: list[str], around: Around
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Change with the width of the kernel, and its facts, by kernel and modality."""
    for pair in scale.pairs(plan.kernel_unit):
        for modality in sorted(binned["modality"].unique()):
            found = scale.change(binned, members, pair, modality, plan.depth)
            if found is not None:
                table = scale.scales(found, pair, modality, around.regions)
                yield table, scale.facts(found, table, pair, modality)


def _by_kernel(binned: pd.DataFrame, members: list[str], depth: int) -> pd.DataFrame:
    """Cells at one depth bin for every kernel; the parameters of the kernel stand in the place of a reading."""
    here = binned["source"].isin(members) & (binned["bin"] == depth) & binned["measure"].str.startswith("cka.")
    keys = ["params", "source", "modality", "subject", "region", "bin"]
    return binned[here].groupby(keys, as_index=False)[["value"]].mean().rename(columns={"params": "reading"})


def _curves(plan: Plan, binned: pd.DataFrame, around: Around) -> pd.DataFrame:
    """Scores of checkpoints at the depth bin, by subject and region, beside their performance (`tables.CURVES`)."""
    grown = around.models[around.models["run"] != ""][["model", "run", "step", "weights"]]
    biased = next((one for one in plan.readings if one.estimator == "biased"), plan.readings[0])
    drawn = released_curves(biased.of(binned).merge(grown, left_on="source", right_on="model"))
    mine = plan.readings[0].of(binned[binned["source"].isin(grown["model"]) & (binned["bin"] == plan.depth)])
    means = mine.groupby(["source", "target"], as_index=False)["value"].mean()
    found = means.merge(grown, left_on="source", right_on="model").rename(columns={"target": "unit"})
    found = found.assign(quantity=SCORE)[list(tables.CURVES.columns)].dropna(subset=["value"])
    kept = around.curves[around.curves["run"].isin(found["run"])]
    return _stacked([found, drawn, kept], tables.CURVES)


def _modalities(models: pd.DataFrame) -> dict[str, str]:
    grown = models[models["run"] != ""]
    return dict(zip(grown["run"], grown["modality"], strict=True))
