"""The code that each stage runs: the import closure of its module. DVC does not follow imports, so dvc.yaml names it.

Run as a program (`make deps`) it writes the closure into dvc.yaml; the test beside it holds the file to it.
"""

from functools import cache
from pathlib import Path

import grimp
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
PIPELINES = (ROOT / "dvc.yaml", ROOT / "certificates" / "dvc.yaml")
# Modules that a stage reaches by address (`timm:...`), which no import statement shows.
BY_ADDRESS = {"extract": "homoplasy.models"}


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("homoplasy", exclude_type_checking_imports=True, cache_dir=None)


def modules(stage: str) -> set[str]:
    """Every module that the stage imports, directly or not, with the adapters that it reaches by address."""
    roots = {f"homoplasy.stages.{stage}"}
    if stage in BY_ADDRESS:
        room = BY_ADDRESS[stage]
        roots |= {room, *graph().find_descendants(room)}
    found = set(roots)
    for root in roots:
        found |= graph().find_upstream_modules(root)
    return found | {parent for module in found for parent in _parents(module)}


def _parents(module: str) -> list[str]:
    """The packages whose `__init__` runs first; the face (`homoplasy` itself) holds lazy names only."""
    words = module.split(".")
    return [".".join(words[:length]) for length in range(2, len(words))]


def path_of(module: str) -> Path:
    base = SOURCE.joinpath(*module.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def code(stage: str) -> list[str]:
    """The files of the closure, and the data files that lie beside them, relative to the repository."""
    files = {path_of(module) for module in modules(stage)} - {SOURCE / "homoplasy" / "__init__.py"}
    beside = {
        path
        for folder in {file.parent for file in files}
        for path in folder.iterdir()
        if path.is_file() and path.suffix not in {".py", ".pyc"} and not path.name.startswith(".")
    }
    kept = [file for file in files | beside if file.stat().st_size > 0]
    return sorted(file.relative_to(ROOT).as_posix() for file in kept)


def write() -> None:
    """Put the closure of every stage into its pipeline file, after the data it depends on."""
    yaml = YAML()
    yaml.width = 118
    yaml.indent(mapping=2, sequence=4, offset=2)
    for path in PIPELINES:
        pipeline = yaml.load(path.read_text())
        for stage, body in pipeline["stages"].items():
            data = [dep for dep in body["deps"] if not dep.startswith("src/")]
            body["deps"] = data + code(stage)
        with path.open("w") as file:
            yaml.dump(pipeline, file)


if __name__ == "__main__":
    write()
