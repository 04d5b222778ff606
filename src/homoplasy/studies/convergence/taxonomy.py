"""The tree of models: who is near whom by the regions and depths at which they resemble the brain."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from homoplasy.maths import correlation, permanova, regression, trees
from homoplasy.studies.convergence.readings import Reading
from homoplasy.tables import LEAVES, LINKAGE, SUPPORT, TREE

LEAST = 3  # fewer models make no tree
_ABOUT = ("model", "modality", "family", "architecture")
_PER_TERCILE = 3


@dataclass(frozen=True)
class Taxonomy:
    """The tree as tables and as text; `why` says what is missing when there is none."""

    leaves: pd.DataFrame
    linkage: pd.DataFrame
    tree: pd.DataFrame
    support: pd.DataFrame
    newick: str
    why: str = ""


@dataclass(frozen=True)
class Profiles:
    """One unit vector a model over (target, shared bin), and why the others have none."""

    models: list[str]
    vectors: NDArray[np.float64]
    bins: list[int]
    reasons: dict[str, str]
    raw: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0, 0)))  # model x bin x target


@dataclass(frozen=True)
class Resampling:
    """How often branches and labels are drawn anew, and the seed of it."""

    draws: int = 200
    seed: int = 1

    def stream(self, name: str) -> np.random.Generator:
        """A generator that hangs on the seed and a name alone."""
        return np.random.default_rng(np.random.SeedSequence([self.seed, *name.encode()]))


def grow(
    binned: pd.DataFrame, models: pd.DataFrame, reading: Reading, bins: int, again: Resampling | None = None
) -> Taxonomy:
    """Grow Ward's tree of all models; of a training run only its last checkpoint takes part."""
    again = again or Resampling()
    taking, mine = last_of_runs(models), reading.of(binned)
    found = unit_profiles(mine, taking["model"].tolist(), bins)
    widths = binned.drop_duplicates(["source", "layer"]).groupby("source")["source_units"].mean()
    leaves = taking[list(_ABOUT)].assign(width=taking["model"].map(widths).astype("float64"))
    leaves["reason"] = [found.reasons.get(model, "") for model in leaves["model"]]
    if len(found.models) < LEAST:
        why = f"{len(found.models)} models have whole profiles, a tree takes {LEAST}"
        why = why if len(mine) or binned.empty else f"cka computed no scores with '{reading.params}'"
        bare = leaves.assign(leaf=-1, place=-1)
        return Taxonomy(LEAVES.check(bare), LINKAGE.empty(), TREE.empty(), SUPPORT.empty(), "", why)
    linkage = trees.ward(found.vectors)
    order = trees.leaf_order(linkage)
    leaf = {model: number for number, model in enumerate(found.models)}
    leaves["leaf"] = leaves["model"].map(leaf).fillna(-1).astype("int64")
    leaves["place"] = (
        leaves["leaf"].map({number: place for place, number in enumerate(order)}).fillna(-1).astype("int64")
    )
    facts = _facts(found, linkage, leaves.set_index("model").loc[found.models], again)
    supported = _support(found, linkage, again)
    return Taxonomy(LEAVES.check(leaves), _linkage(linkage), facts, supported, trees.newick(linkage, found.models))


def last_of_runs(models: pd.DataFrame) -> pd.DataFrame:
    """Leave out all checkpoints of a training run but the last: they are one model growing up."""
    last = models.groupby("run")["step"].transform("max")
    grown = (models["step"] == last) & (models["weights"] != "ema")
    return models[(models["run"] == "") | grown].sort_values("model", ignore_index=True)


def unit_profiles(mine: pd.DataFrame, models: list[str], bins: int) -> Profiles:
    """Vectors over targets and the bins that all kept models fill; debiased scores as z, biased ones as they are.

    A model leaves when a layer of it has no score, or when its layers fill fewer than half of the bins.
    """
    scaled = np.where(mine["estimator"] == "debiased", mine["value"] / mine["null_sd"], mine["value"])
    cells = mine.assign(scaled=scaled).groupby(["source", "bin", "target"])["scaled"].mean().unstack("target")
    cells = cells.dropna(axis="columns", how="all")
    whole = cells.notna().all(axis="columns").groupby(level="source").all()
    filled = cells.assign(there=1.0)["there"].unstack("bin").notna().reindex(models, fill_value=False)
    reasons = {model: why for model in models if (why := _lack(model, whole, filled, bins))}
    kept = [model for model in models if model not in reasons]
    shared = [int(number) for number in filled.columns if filled.loc[kept, number].all()] if kept else []
    if not shared:
        return Profiles([], np.empty((0, 0)), [], reasons | dict.fromkeys(kept, "no depth bin that all models fill"))
    by_bin = [cells.xs(number, level="bin").reindex(kept).to_numpy(np.float64) for number in shared]
    return Profiles(kept, trees.unit_rows(np.hstack(by_bin)), shared, reasons, np.stack(by_bin, axis=1))


def _lack(model: str, whole: pd.Series, filled: pd.DataFrame, bins: int) -> str:
    """What keeps a model out of the tree; empty when nothing does."""
    if model not in whole:
        return "no scores"
    if not whole[model]:
        return "a layer without scores"
    return "" if filled.loc[model].sum() * 2 >= bins else "layers in fewer than half of the depth bins"


def _linkage(linkage: NDArray[np.float64]) -> pd.DataFrame:
    table = pd.DataFrame(linkage, columns=["left", "right", "height", "leaves"])
    table = table.astype({"left": "int64", "right": "int64", "leaves": "int64"})
    return LINKAGE.check(table.assign(node=np.arange(len(table)) + len(table) + 1))


def _support(found: Profiles, linkage: NDArray[np.float64], again: Resampling) -> pd.DataFrame:
    """Share of trees that hold each branch when regions (targets) are drawn anew, all depths of one together."""
    generator, targets = again.stream("support"), found.raw.shape[2]
    picks = generator.integers(targets, size=(again.draws, targets))
    replicates = [trees.ward(trees.unit_rows(found.raw[:, :, pick].reshape(len(found.raw), -1))) for pick in picks]
    sizes = linkage[:, 3].astype(np.int64)
    nodes = np.arange(len(linkage)) + len(linkage) + 1
    shares = trees.support(linkage, replicates)
    return SUPPORT.check(pd.DataFrame({"node": nodes, "leaves": sizes, "support": shares}))


def _facts(found: Profiles, linkage: NDArray[np.float64], leaves: pd.DataFrame, again: Resampling) -> pd.DataFrame:
    """How faithful the tree is, and how well its branches agree with what is known of the models."""
    bins = "depth bins " + ", ".join(map(str, found.bins))
    rows = [
        {"fact": "models", "value": float(len(found.models)), "note": f"profiles over {bins}"},
        {
            "fact": "cophenetic_correlation",
            "value": trees.fidelity(linkage, found.vectors),
            "note": "of tree heights with distances",
        },
    ]
    for label in ("family", "architecture", "modality"):
        rows.append(_agreement(label, leaves[label].to_numpy(object), found.vectors))
    rows.append(_agreement("width", terciles(leaves["width"]), found.vectors))
    narrowed = without(found.vectors, np.log(leaves["width"].to_numpy(np.float64)))
    for label in ("family", "architecture", "modality"):
        groups = leaves[label].to_numpy(object)
        rows += _differences(f"permanova_{label}", groups, found.vectors, again, "profiles")
        if narrowed is not None:
            rows += _differences(f"permanova_{label}_given_width", groups, narrowed, again, _GIVEN)
            rows.append(_agreement(f"{label}_given_width", groups, narrowed) | {"note": _GIVEN})
    return TREE.check(pd.DataFrame(rows))


_GIVEN = "profiles after a linear fit on ln width"


def without(vectors: NDArray[np.float64], covariate: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """What a linear fit of every coordinate on a covariate leaves; None where it is not known of every model."""
    if not np.isfinite(covariate).all() or correlation.constant(covariate):
        return None
    return np.column_stack([correlation.residual(column, regression.with_intercept(covariate)) for column in vectors.T])


def _differences(
    fact: str, groups: NDArray[np.object_], vectors: NDArray[np.float64], again: Resampling, of: str
) -> list[dict[str, object]]:
    """Share of the squared distances between groups, and its p, over models that are not alone in their group."""
    members = _shared(groups)
    share, _, p = permanova.permanova(vectors[members], groups[members].astype(str), 999, again.stream(fact))
    note = f"PERMANOVA of {of}, {int(members.sum())} models, 999 re-labellings"
    return [{"fact": fact, "value": share, "note": note}, {"fact": f"{fact}_p", "value": p, "note": note}]


def _shared(groups: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Which models have another one in their group."""
    names, counts = np.unique(groups.astype(str), return_counts=True)
    return np.isin(groups.astype(str), [n for n, count in zip(names, counts, strict=True) if count > 1 and n])


def terciles(width: pd.Series) -> NDArray[np.object_]:
    """Third of the ranks in which each width lies; empty where it is not known."""
    if width.notna().sum() < _PER_TERCILE:
        return np.full(len(width), "", dtype=object)
    rank = width.rank(method="average", pct=True)
    return np.array(["" if np.isnan(r) else f"third {min(int(np.ceil(r * 3)), 3)}" for r in rank], dtype=object)


def _agreement(label: str, groups: NDArray[np.object_], vectors: NDArray[np.float64]) -> dict[str, object]:
    """Adjusted Rand index of a known grouping with the tree of the models that are not alone in their group."""
    members = _shared(groups)
    shared = set(groups[members].astype(str).tolist())
    if len(shared) < 2:
        return {"fact": f"rand_{label}", "value": float("nan"), "note": "fewer than two groups of two models"}
    parts = trees.cut(trees.ward(vectors[members]), len(shared))
    value = trees.adjusted_rand(parts, groups[members].astype(str))
    return {"fact": f"rand_{label}", "value": value, "note": f"{len(shared)} groups of {int(members.sum())} models"}
