"""claims: every published statement, what our tables say of it, and the verdict that follows."""

from pathlib import Path

import pandas as pd
from pydantic import Field

from homoplasy import tables as schemas
from homoplasy import written
from homoplasy.errors import BadData
from homoplasy.progress import say
from homoplasy.stages import _settings
from homoplasy.stages._entry import enter
from homoplasy.store import files, frames
from homoplasy.studies.convergence import claims, ledger

_GENERATED = {"pocket"}  # worlds whose data are made up
_SCHEMAS = {one.name: one for one in vars(schemas).values() if isinstance(one, schemas.Schema)}


class Settings(_settings.Strict):
    """In which units this world gives kernel widths."""

    kernel_unit: float = Field(gt=0, description="above 0")


def main(  # noqa: PLR0913 - one path an input and an output
    params: Path, claims_file: Path, stats: Path, taxonomy: Path, published: Path,
    tables: Path, metrics: Path, record: Path,
) -> None:  # fmt: skip
    """Read the claims and every table, write the ledger."""
    settings = _settings.read(params, "claims", Settings)
    stated = claims.parse(_yaml(claims_file), claims_file.name, settings.kernel_unit)
    here = ledger.Here(
        tables={"points": _every(published), "world": _every(stats) | _every(taxonomy)},
        generated=_settings.world(params) in _GENERATED,
        biased="written" if _settings.preset(params) == "as_written" else "released",
    )
    found = ledger.verdicts(stated, here)
    files.fresh_folder(tables)
    frames.write(tables / "verdicts.parquet", found, schemas.VERDICTS)
    files.write_json(tables / "claims.json", {"source": stated.source, "claims": ledger.plain(stated, found)})
    files.write_text(tables / "claims.md", ledger.page(stated, found))
    files.write_json(metrics, ledger.counts(found))
    _settings.record({"claims": settings}, record)
    words = found.loc[found["item"] == "", "verdict"].value_counts()
    say(f"claims: {len(stated.claims)} claims; " + ", ".join(f"{count} {word}" for word, count in words.items()))


def _every(folder: Path) -> dict[str, pd.DataFrame]:
    """Every table of a folder by the name of its schema."""
    return {path.stem: frames.read(path, _SCHEMAS[path.stem]) for path in sorted(folder.glob("*.parquet"))}


def _yaml(path: Path) -> object:
    try:
        return written.read_yaml(path)
    except FileNotFoundError:
        raise BadData(f"{path} is missing; restore it with git checkout claims.") from None
    except written.Damaged as fault:
        raise BadData(f"{path} is not valid YAML {fault}; restore it with git checkout claims.") from None


if __name__ == "__main__":
    enter(main)
