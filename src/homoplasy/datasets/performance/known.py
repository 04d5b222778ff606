"""What is known of how the models at hand perform: every table of a folder, joined by model and image size."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from homoplasy.datasets import nsd
from homoplasy.datasets.performance import arena, curves, imagenet, leaderboard
from homoplasy.datasets.performance._reading import Found
from homoplasy.datasets.performance.leaderboard import Rule
from homoplasy.errors import BadData
from homoplasy.tables import CURVES, JOINS, PERFORMANCE

FOLDER = "performance"  # of a raw folder
_SUFFIXES = (".csv", ".parquet", ".json")


def files(folder: Path | None) -> dict[str, Path]:
    """The tables of a user's own folder, by the keys that they have below a raw folder; none where there is none."""
    if folder is None:
        return {}
    paths = sorted(folder.rglob("*"))
    return {f"{FOLDER}/{path.relative_to(folder).as_posix()}": path for path in paths if path.suffix in _SUFFIXES}


def read(folder: Path, rule: Rule) -> list[Found]:
    """Read every table of a folder, each by the adapter that its name tells; none where there is no folder."""
    readers: dict[str, Callable[[Path], Found]] = {
        imagenet.PATTERN: imagenet.read,
        leaderboard.PATTERN: lambda path: leaderboard.read(path, rule),
        arena.PATTERN: arena.read,
    }
    found: list[Found] = []
    for path in sorted(path for path in folder.glob("*") if path.is_file()):
        fitting = [reader for pattern, reader in readers.items() if path.match(pattern)]
        if len(fitting) != 1:
            raise BadData(
                f"{path.name} is no performance table that is known by its name; expected results-imagenet.csv and its "
                "like, one with leaderboard2, or one with arena in its name."
            )
        found.append(fitting[0](path))
    return found


def of(raw: Path, models: pd.DataFrame, rule: Rule) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The results of a raw folder for the models at hand, and how they were joined; its planted models need no join."""
    found, joins = join(read(raw / FOLDER, rule), models)
    planted = nsd.open_tree(raw).performance()
    return PERFORMANCE.check(pd.concat([planted, found], ignore_index=True)), joins


def trained(folder: Path) -> pd.DataFrame:
    """Performance along training (`tables.CURVES`) of every run that a folder has evaluations of."""
    return curves.pythia(folder) if folder.is_dir() else CURVES.empty()


def join(found: Sequence[Found], models: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the results of the models at hand (`tables.PERFORMANCE`), and how they were found (`tables.JOINS`).

    A result counts for a model only at the image size that the model was given, or if the table knows no sizes. A
    model whose size is not known takes the result of a table that has one size of it. Checkpoints take none.
    """
    grown = models.loc[models["step"] < 0, ["model", "image_size"]]
    names = (grown["model"].str.replace("@.*", "", regex=True), f"{arena.SOURCE}:" + arena.plain(grown["model"]))
    called = pd.concat([grown.assign(name=name) for name in names])
    parts, joins = [], []
    for one in found:
        both = called.merge(one.rows, left_on="name", right_on="model", suffixes=("", "_there"))
        kept = both[_same_size(both)]
        parts.append(kept[["model", "benchmark", "performance"]])
        listed, taken = both["model"].nunique(), kept["model"].nunique()
        joins.append(
            {"file": one.file, "lines": one.lines, "duplicates": one.duplicates, "rule": one.rule}
            | {"models": taken, "other_size": listed - taken, "not_listed": len(grown) - listed}
        )
    if not found:
        return PERFORMANCE.empty(), JOINS.empty()
    _once(found)
    return PERFORMANCE.check(pd.concat(parts, ignore_index=True)), JOINS.check(pd.DataFrame(joins))


def _once(found: Sequence[Found]) -> None:
    """Refuse two tables of the same benchmark: which of them counts is for the user to say."""
    told: dict[str, str] = {}
    for one in found:
        for benchmark in one.rows["benchmark"].unique():
            if benchmark in told:
                raise BadData(f"{told[benchmark]} and {one.file} both give '{benchmark}'; keep one of the two files.")
            told[benchmark] = one.file


def _same_size(both: pd.DataFrame) -> pd.Series:
    sizes = both.groupby(["model", "benchmark"])["image_size_there"].transform("nunique")
    unknown = (both["image_size"] == 0) & (sizes == 1)
    return (both["image_size_there"] == 0) | (both["image_size_there"] == both["image_size"]) | unknown
