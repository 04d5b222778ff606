"""A line of the doctor's report."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Here:
    """The checkout that is examined, and the world that it has chosen."""

    root: Path
    world: str

    @property
    def params(self) -> Path:
        """Its file of parameters."""
        return self.root / "params.yaml"


@dataclass(frozen=True)
class Line:
    """What was looked at, how it is, and what to do where it is not well."""

    what: str
    state: Literal["ok", "note", "wrong"]  # wrong: something that is needed now is not there
    says: str
    do: str = ""
