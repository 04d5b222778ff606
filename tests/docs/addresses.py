"""The page of addresses: the sources of models, the keys of their roster lines, the rosters."""

import importlib
import re
from collections.abc import Iterable
from pathlib import Path

import yaml
from pydantic import BaseModel

from homoplasy.address import sources
from homoplasy.models._contract import Options
from homoplasy.models._facts import Facts
from tests.conftest import ROOT
from tests.docs.markdown import code, table
from tests.docs.parameters import kind

HEAD = """# Addresses and rosters

A model is named by an address, `SOURCE:REST`: the source is a module of `homoplasy.models`, the rest is what that
source knows the model by. A roster is a list of lines in `rosters/NAME.yaml`:

| line | stands for |
|---|---|
| `- model: ADDRESS` | one model, with any of the keys below |
| `- include: NAME` | another roster |
| `- planted: all` | the planted models of the pocket world |
| `- checkpoints: all` | every step of every run of `train` |

[Models](../models.md) explains the keys, [vision networks](../vision.md) what is read of them. `homoplasy models
ADDRESS` lists the layers of a model.
"""


def page() -> str:
    """The whole page."""
    facts = f"## Every line\n\n{(Facts.__doc__ or '').split(chr(10))[0].strip()}\n\n{_keys(Facts)}\n"
    return "\n".join([HEAD, facts, *map(_source, sources("models")), _rosters()])


def _source(name: str) -> str:
    module = importlib.import_module(f"homoplasy.models.{name}")
    about = (module.__doc__ or "").strip()
    own = [] if module.Options is Options else [_keys(module.Options)]
    used = [code(one) for one in _examples(name)]
    seen = [f"In rosters: {', '.join(used)}."] if used else []
    return "\n\n".join([f"## {name}", about, *seen, *own]) + "\n"


def _keys(model: type[BaseModel]) -> str:
    return table(["key", "takes"], [(code(name), kind(field)) for name, field in model.model_fields.items()])


def _examples(source: str) -> list[str]:
    """The first addresses of a source that the small rosters hold."""
    lines = [line for name in ("pocket", "starter", "mixnet") for line in _lines(name)]
    found = [line["model"] for line in lines if str(line.get("model", "")).startswith(f"{source}:")]
    return list(dict.fromkeys(found))[:2]


def _lines(name: str) -> Iterable[dict[str, object]]:
    return yaml.safe_load((ROOT / "rosters" / f"{name}.yaml").read_text()) or []


def _rosters() -> str:
    rows = [(code(path.stem), _head(path)) for path in sorted((ROOT / "rosters").glob("*.yaml"))]
    return "## Rosters\n\n" + table(["roster", "what it says of itself"], rows) + "\n"


def _head(path: Path) -> str:
    """The first sentence of the comment that a roster opens with."""
    lines = re.match(r"(?:#[^\n]*\n)*", path.read_text())
    said = " ".join(line.lstrip("# ").strip() for line in (lines[0] if lines else "").splitlines())
    return re.split(r"(?<=\.) (?=[A-Za-z])", said)[0]
