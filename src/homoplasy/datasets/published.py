"""The points that the original study printed: one score a model and kernel width, no stimuli, no brain.

Shen, Zhao, Dong, Zhang, Zeng, "Alignment between Brains and AI", arXiv 2507.01966 (2025). The tables and how they
were made are described in data/published/README.md.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from homoplasy.datasets import _manifest
from homoplasy.datasets.performance._reading import numbers
from homoplasy.errors import BadData, BadRequest, listing
from homoplasy.progress import say
from homoplasy.tables import MODELS, PERFORMANCE, SCORES

KEYS = ("language.csv", "mixnet.csv", "vision.csv")
BENCHMARKS = {"language": "leaderboard2_avg", "vision": "imagenet_top1"}
WIDTHS = (20, 28, 36, 44, 52, 60, 68, 76, 84, 92, 100)
STIMULI = 8859  # images of one subject in 37 sessions that only this subject saw
_WORDS = ("model", "family", "architecture")
_FACTS = (*_WORDS, "parameters")
_LARGE = 1e15  # more than any number of parameters


def carry(source: Path, root: Path, request: Mapping[str, Any]) -> None:
    """Copy the tables of the repository into a raw folder; it has no subjects."""
    if request["subjects"] or request["sessions"]:
        raise BadRequest("the published world has no subjects or sessions to choose; leave both empty under fetch.")
    with _manifest.filling(root, "published", request):
        for key in KEYS:
            if not (source / key).is_file():
                raise BadData(f"{source / key} is missing; restore it with git checkout data/published.")
            shutil.copyfile(source / key, root / key)
    say(f"fetch: {root} holds the {len(KEYS)} tables of published values")


def scores(root: Path) -> pd.DataFrame:
    """Table of scores (`tables.SCORES`): the mean of the top nine of 180 regions at relative depth 6/8, over subjects.

    These are published values, not true ones: at width 20 some exceed 1, which a CKA cannot.
    """
    tall = pd.concat([_scores_of(_table(root, modality)) for modality in BENCHMARKS], ignore_index=True)
    unknown = dict.fromkeys(("null_mean", "null_sd", "se", "ceiling"), np.nan)
    health = {f"{side}_{fact}": np.nan for side in ("source", "target") for fact in ("offdiagonal", "pr")}
    return SCORES.check(
        tall.assign(
            layer="published",
            depth=6 / 8,
            target="mean/top5%",
            region="top5%",
            subject="mean",
            measure="cka.rbf",
            estimator="biased",
            n=STIMULI,
            target_units=0,
            reason="",
            **unknown,
            **health,
        )
    )


def performance(root: Path) -> pd.DataFrame:
    """Table of benchmark results (`tables.PERFORMANCE`), in percent, as printed."""
    parts = [
        _table(root, modality)[["model", benchmark]]
        .rename(columns={benchmark: "performance"})
        .assign(benchmark=benchmark)
        for modality, benchmark in BENCHMARKS.items()
    ]
    return PERFORMANCE.check(pd.concat(parts, ignore_index=True).astype({"performance": "float64"}))


def models(root: Path) -> pd.DataFrame:
    """Table of the models (`tables.MODELS`); how many layers the study read of each is not known."""
    parts = [_table(root, modality)[list(_FACTS)].assign(modality=modality) for modality in BENCHMARKS]
    known = pd.concat(parts, ignore_index=True).astype({"parameters": "float64"})
    return MODELS.check(known.assign(layers=0, run="", step=-1, weights="", image_size=0, reason=""))


PLAIN = "plain transformers"  # vision networks whose blocks all have the one width that is recorded


def points(root: Path) -> pd.DataFrame:
    """Every printed point with what it is compared with, in the columns of `tables.MODEL_SCORES`.

    Performance is in the units of the article's fits (language 0-100, vision a share). The vision transformers of one
    constant width appear twice: among vision, without a width, and as a group of their own, with it.
    """
    parts = [_points_of(_table(root, modality), modality) for modality in BENCHMARKS]
    vision = _table(root, "vision")
    plain = vision[vision["embedding_width"].notna()].assign(hidden_size=lambda table: table["embedding_width"])
    return pd.concat([*parts, _points_of(plain, "vision").assign(modality=PLAIN)], ignore_index=True)


def _points_of(table: pd.DataFrame, modality: str) -> pd.DataFrame:
    benchmark = BENCHMARKS[modality]
    shares = 100.0 if modality == "vision" else 1.0
    width = table.get("hidden_size", np.nan)
    about = table.assign(
        modality=modality,
        width=width,
        benchmark=benchmark,
        performance=table[benchmark] / shares,
        null_score=np.nan,
        counted=True,
    ).astype({"width": "float64", "parameters": "float64"})
    kept = [*_FACTS, "modality", "width", "benchmark", "performance", "null_score", "counted"]
    tall = about.melt(kept, [f"cka_{width}" for width in WIDTHS], "reading", "score")
    return tall.assign(reading="sigma=" + tall["reading"].str.removeprefix("cka_"))


def printed(root: Path) -> pd.DataFrame:
    """The printed tables: `table`, `item`, `quantity`, `value`."""
    path = root / "printed.csv"
    try:
        table = pd.read_csv(path, dtype={"item": str}, keep_default_na=False)
        return table[["table", "item", "quantity", "value"]].astype({"value": "float64"})
    except FileNotFoundError:
        raise BadData(f"{path} is missing; restore it with git checkout data/published.") from None
    except (LookupError, ValueError) as damage:  # a UnicodeDecodeError is a ValueError
        raise BadData(f"{path} is not the table of printed values ({damage}); restore it with git checkout.") from None


def _scores_of(table: pd.DataFrame) -> pd.DataFrame:
    """One row a model and width; the width of the layer is 0 where the table does not know it."""
    units = table["hidden_size"] if "hidden_size" in table else pd.Series(0, index=table.index)
    wide = table.assign(source=table["model"], source_units=units.fillna(0).astype("int64"))
    tall = wide.melt(["source", "source_units"], [f"cka_{width}" for width in WIDTHS], "params", "value")
    return tall.assign(params="sigma=" + tall["params"].str.removeprefix("cka_") + " biased")


def _table(root: Path, modality: str) -> pd.DataFrame:
    path = root / f"{modality}.csv"
    try:
        table = pd.read_csv(path)
    except FileNotFoundError:
        raise BadData(f"{path} is missing; run dvc repro fetch.") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as damage:
        raise BadData(f"{path} is not a table ({damage}); restore it with git checkout data/published.") from None
    own = ["embedding_width"] if modality == "vision" else ["hidden_size"]
    needed = [*_FACTS, *own, BENCHMARKS[modality], *(f"cka_{width}" for width in WIDTHS)]
    lacking = [column for column in needed if column not in table]
    if lacking:
        raise BadData(f"{path} lacks the columns {listing(lacking)}; restore it with git checkout data/published.")
    told = [column for column in needed if column not in _WORDS]
    return table.assign(**{column: numbers(table, column, path, -_LARGE, _LARGE) for column in told})
