"""The specifications of every experiment of this commit side by side (`python -m homoplasy.stages._gather --out DIR`).

What needs other features or other scores (preset, PCA, pooling, images) is an experiment of its own; DVC keeps its
tables. An experiment without specifications is named and left out.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from homoplasy.errors import HomoplasyError, WorkFailed
from homoplasy.progress import say
from homoplasy.store import files, frames
from homoplasy.studies.convergence import multiverse
from homoplasy.tables import COMPONENTS, GATHERED, SPECIFICATIONS

TABLE = "data/tables/convergence/multiverse/specifications.parquet"
_CHOICES = "params.yaml"


def gather(repository: Path, out: Path) -> None:
    """Read the experiments, write both tables and a page."""
    parts = {name: found for name, rev in named(repository).items() if (found := _part(repository, rev, name))}
    if not parts:
        raise WorkFailed(f"no experiment here has {TABLE}; run make multiverse, or dvc exp run multiverse.")
    gathered, components = multiverse.side_by_side(parts)
    files.fresh_folder(out)
    frames.write(out / "gathered.parquet", gathered, GATHERED)
    frames.write(out / "components.parquet", components, COMPONENTS)
    files.write_text(out / "multiverse.md", multiverse.page(gathered, components))
    say(f"gather: {len(gathered)} specifications of {gathered['experiment'].nunique()} experiments in {out}")


def named(repository: Path) -> dict[str, str]:
    """The revision of every experiment of the current commit, by name."""
    from dvc.repo import Repo

    with Repo(str(repository)) as repo:
        found: Mapping[str, Any] = repo.experiments.ls(rev="HEAD")
    return {str(name): str(rev) for named in found.values() for name, rev in named}


def _part(repository: Path, rev: str, name: str) -> tuple[dict[str, str], pd.DataFrame] | None:
    """What an experiment chose, and its specifications; None where it has none."""
    import dvc.api
    from dvc.exceptions import DvcException

    at = {"repo": str(repository), "rev": rev}
    try:
        with dvc.api.open(TABLE, **at, mode="rb") as table, TemporaryDirectory() as folder:
            path = Path(folder) / "specifications.parquet"
            path.write_bytes(table.read())
            specifications = frames.read(path, SPECIFICATIONS)
        return _flat(dvc.api.params_show(_CHOICES, **at)), specifications
    except (DvcException, OSError) as failure:
        say(f"gather: {name} has no specifications here ({failure}); it is left out")
        return None


def _flat(given: Mapping[str, Any], above: str = "") -> dict[str, str]:
    """Every setting by its dotted name; empty where the world or the preset decides."""
    found: dict[str, str] = {}
    for key, value in given.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{above}{key}.")
        else:
            found[f"{above}{key}"] = "" if value is None else str(value)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    try:
        gather(Path.cwd(), parser.parse_args().out)
    except HomoplasyError as error:
        say(f"homoplasy: {error}")
        sys.exit(error.exit_code)
