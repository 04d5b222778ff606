"""The columns of a table, and their check."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from pandas.api import types

from homoplasy.errors import BadData, listing, nearest

_KINDS: Mapping[str, Any] = {
    "text": types.is_string_dtype,
    "integer": types.is_integer_dtype,
    "number": types.is_float_dtype,
    "flag": types.is_bool_dtype,
}
_DTYPES: Mapping[str, str] = {"text": "str", "integer": "int64", "number": "float64", "flag": "bool"}


@dataclass(frozen=True)
class Schema:
    """The columns of a table in order, each with its kind, and the columns that name a row.

    The version rises when the meaning of a column changes.
    """

    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    version: int = 1

    def check(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the frame with its columns in order; refuse a missing, unknown or wrongly typed one."""
        for column in frame.columns:
            if column not in self.columns:
                raise BadData(
                    f"table '{self.name}' has an unknown column '{column}'; it takes {listing(self.columns, 30)}."
                    f"{nearest(str(column), self.columns)}"
                )
        found = dict(frame.dtypes)
        for column, kind in self.columns.items():
            if column not in found:
                raise BadData(f"table '{self.name}' lacks the column '{column}' ({kind}).")
            if len(frame) and not _KINDS[kind](found[column]):
                raise BadData(f"table '{self.name}', column '{column}': expected {kind}, found {found[column]}.")
        self._check_key(frame)
        return self._typed(frame.copy(deep=False) if [*found] == [*self.columns] else frame[[*self.columns]])

    def _check_key(self, frame: pd.DataFrame) -> None:
        twice = frame.duplicated(list(self.key))
        if twice.any():
            first = frame[twice].iloc[0]
            row = ", ".join(f"{column}={first[column]}" for column in self.key)
            raise BadData(f"table '{self.name}': the row {row} occurs more than once.")

    def _typed(self, frame: pd.DataFrame) -> pd.DataFrame:
        kinds, found = {column: _DTYPES[kind] for column, kind in self.columns.items()}, dict(frame.dtypes)
        others = {column: kind for column, kind in kinds.items() if found[column] != kind}
        return frame.astype(others) if others else frame

    def empty(self) -> pd.DataFrame:
        """Return the table without rows."""
        return self._typed(pd.DataFrame({column: [] for column in self.columns}))
