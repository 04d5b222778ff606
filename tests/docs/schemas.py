"""The page of tables: columns, kinds and meanings as the modules of `tables/` write them down, and where each lies."""

import ast
import io
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from homoplasy import tables as package
from homoplasy.tables import Schema
from tests.conftest import ROOT
from tests.docs.columns import COMMON
from tests.docs.markdown import code, table

SOURCE = ROOT / "src/homoplasy/tables"
HEAD = """# Tables

Every table that passes between stages is a parquet file of one of these schemas: the named columns in this order, of
these kinds, no two rows with the same key, and a version that rises when the meaning of a column changes. A file that
differs is refused. Read them with pandas (`pandas.read_parquet`).

Kinds: *text* (an empty word means none), *integer*, *number* (a float; NaN means none) and *flag*.

{index}
"""
STUDY = "data/tables/convergence"
# The folders that hold a table, where they are not those of the statistics.
WHERE: Mapping[str, tuple[str, ...]] = {
    "stimuli": ("data/brain",),
    "regions": ("data/brain",),
    "voxels": ("data/brain/voxels/SUBJECT",),
    "models": ("data/features",),
    "untrained": ("data/twins",),
    "scores": ("data/scores",),
    "history": ("models/RUN",),
    "printed_checks": (f"{STUDY}/published",),
    "verdicts": (f"{STUDY}/claims",),
    **dict.fromkeys(("leaves", "linkage", "tree", "support"), (f"{STUDY}/taxonomy",)),
    **dict.fromkeys(
        ("audit", "checks", "ceilings", "between", "twins", "matched", "matched_scales", "null_scores"),
        (f"{STUDY}/audit",),
    ),
    "draws": ("data/scores",),
    "specifications": (f"{STUDY}/multiverse",),
    "components": (f"{STUDY}/multiverse", "data/multiverse"),
    "gathered": ("data/multiverse",),
    "certificates": ("certificates", "data/certificates"),
    "announcements": ("data/certificates",),
    **dict.fromkeys(("associations", "effects", "facts", "regressions"), (f"{STUDY}/stats", f"{STUDY}/published")),
}
FILES = {"draws": "halves"}  # the name of a file, where it is not that of its table
IN_MEMORY = {  # passed from function to function, never written
    "curves": "`homoplasy.studies.convergence.trajectories`",
    "performance": "`homoplasy.datasets.performance` returns it",
    **dict.fromkeys(("tallies", "largest", "linear"), "the stage `audit` keeps it in the store"),
}


@dataclass(frozen=True)
class Group:
    """The schemas of one module, with the comment beside each column."""

    about: str
    schemas: tuple[tuple[Schema, Mapping[str, str]], ...]


def page() -> str:
    """The whole page."""
    found = groups()
    index = "\n".join(
        f"- {group.about} " + ", ".join(f"[{one.name}](#{one.name})" for one, _ in group.schemas) for group in found
    )
    return "\n".join([HEAD.format(index=index), *(_schema(*one) for group in found for one in group.schemas)])


def groups() -> list[Group]:
    """The modules that declare schemas, in the order of their names."""
    paths = sorted(path for path in SOURCE.glob("*.py") if path.stem not in {"__init__", "schema"})
    return [Group(_about(path), tuple(_declared(path))) for path in paths]


def _about(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n\n")[0].replace("\n", " ")


def _declared(path: Path) -> Iterator[tuple[Schema, Mapping[str, str]]]:
    text = path.read_text()
    said = _comments(text)
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Call):
            schema = getattr(package, node.targets[0].id, None)
            if isinstance(schema, Schema):
                yield schema, _meanings(node.value, said)


def _of_table(call: ast.Call, said: Mapping[int, str]) -> str:
    """The comment beside the name of a table."""
    return said.get(next(word.value.lineno for word in call.keywords if word.arg == "name"), "")


def _comments(text: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {one.start[0]: one.string.lstrip("# ") for one in tokens if one.type == tokenize.COMMENT}


def _meanings(call: ast.Call, said: Mapping[int, str]) -> dict[str, str]:
    """The comment on the line of each column; of several columns in one line it is that of the last."""
    columns = next(word.value for word in call.keywords if word.arg == "columns")
    if not isinstance(columns, ast.Dict):
        return {}
    last = {key.lineno: key.value for key in columns.keys if isinstance(key, ast.Constant)}
    return {"": _of_table(call, said)} | {str(name): said[line] for line, name in last.items() if line in said}


def _schema(schema: Schema, said: Mapping[str, str]) -> str:
    rows = [
        (code(name) + (" (key)" if name in schema.key else ""), kind, meaning(name, said))
        for name, kind in schema.columns.items()
    ]
    body = table(["column", "kind", "meaning"], rows)
    about = f"{said[''][:1].upper()}{said[''][1:]}.\n\n" if said[""] else ""
    return f"## {schema.name}\n\n{about}{_place(schema)} Version {schema.version}.\n\n{body}\n"


def meaning(column: str, said: Mapping[str, str]) -> str:
    """The comment beside a column, or what its name means everywhere."""
    return said.get(column) or COMMON.get(column, "")


def _place(schema: Schema) -> str:
    if schema.name in IN_MEMORY:
        return f"Not a file: {IN_MEMORY[schema.name]}."
    return (
        " and ".join(code(f"{folder}/{FILES.get(schema.name, schema.name)}.parquet") for folder in folders(schema.name))
        + "."
    )


def folders(name: str) -> tuple[str, ...]:
    """Where a table of that name lies after a run."""
    return WHERE.get(name, (f"{STUDY}/stats",))
