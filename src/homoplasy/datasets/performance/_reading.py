"""What every adapter of a performance table does: read a file with one sentence for its faults, and give a `Found`."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from homoplasy.errors import BadData, listing, nearest


@dataclass(frozen=True)
class Found:
    """Results of one file, one row a model, image size and benchmark, and how rows of the same model became one."""

    file: str
    rows: pd.DataFrame  # model (address), image_size (0: whatever the size), benchmark, performance
    lines: int  # in the file
    duplicates: int  # lines that were dropped
    rule: str  # by which


def frame(path: Path, needed: Iterable[str], kind: str) -> pd.DataFrame:
    """Read a CSV or parquet table and see that it has the columns that are needed."""
    try:
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
        else:
            table = pd.read_csv(path, thousands=",", keep_default_na=False, na_values=["", "-"])
    except FileNotFoundError:
        raise BadData(f"{path} is missing; expected {kind}.") from None
    except (ValueError, OSError) as damage:  # those of pandas and of pyarrow are ValueErrors
        words = str(damage).strip().partition("\n")[0]
        raise BadData(f"{path} is not a table ({words}); expected {kind}, as it was downloaded.") from None
    for column in needed:
        if column not in table:
            raise BadData(
                f"{path} lacks the column '{column}' of {kind}; it has {listing(map(str, table.columns))}."
                f"{nearest(column, map(str, table.columns))}"
            )
    return table


def numbers(table: pd.DataFrame, column: str, path: Path, least: float, most: float) -> pd.Series:
    """A column as numbers within bounds; absent ones stay absent."""
    values = pd.to_numeric(table[column], errors="coerce")
    wrong = (values.isna() & table[column].notna()) | (values < least) | (values > most)
    if wrong.any():
        line = int(wrong.to_numpy().argmax())
        raise BadData(
            f"{path}, line {line + 2}: '{column}' is {table[column].iloc[line]!r}; expected a number from {least:g} "
            f"to {most:g}."
        )
    return values.astype("float64")


def whole(table: pd.DataFrame, column: str, path: Path, least: int, most: int) -> pd.Series:
    """A column as whole numbers within bounds, none absent."""
    values = numbers(table, column, path, least, most)
    wrong = values.isna() | (values % 1 != 0)
    if wrong.any():
        line = int(wrong.to_numpy().argmax())
        raise BadData(
            f"{path}, line {line + 2}: '{column}' is {table[column].iloc[line]!r}; expected a whole number from "
            f"{least} to {most}."
        )
    return values.astype("int64")
