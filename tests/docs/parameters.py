"""The page of parameters: what each settings class takes, what its knob means, what the worlds and presets give it."""

import importlib
import importlib.util
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from homoplasy.stages import _place, fetch
from homoplasy.stages._settings import CHOICES, SECTIONS
from tests.conftest import ROOT
from tests.docs.markdown import code, table

HEAD = """# Parameters

`params.yaml` names every knob. One left empty takes the value of `conf/worlds/WORLD.yaml`, then that of
`conf/presets/PRESET.yaml` over it; a value written into `params.yaml`, or given with `-S section.knob=value`, wins over
both. An unknown name, and a value of the wrong kind, is one sentence that says what is allowed. The settings in force
are recorded in `settings/STAGE.yaml` beside the results.

| word | it can be |
|---|---|
{choices}

The value of a knob is written once where all worlds and presets agree, else by name. *Written*, *released* and
*calibrated* are the presets `as_written`, `as_released` and `calibrated`.
"""
MACHINE = """## This machine

What follows never changes a result, so it stands outside `params.yaml`: in `local.yaml`, which git ignores, and in
the environment.

`local.yaml`, section `execution`: where the shards of a stage run.

{execution}

`local.yaml`, section `nsd`: `accept_terms`, `name`, `date` say that you have signed the data agreement; `captions` and
`performance` name folders of your own, for the captions of COCO and for [performance tables](../models.md). A list
`remote_code` at its top names the models that may run code of their own.

{environment}
"""
ENVIRONMENT = {
    "HOMOPLASY_EXECUTOR": "`serial`, `local` or `slurm`; wins over `execution.executor`.",
    "HOMOPLASY_STORE": "The folder of the content-keyed store; without it `.store` of the main checkout.",
    "HOMOPLASY_MEMORY": "What scoring may take, such as `8GB`; without it three quarters of what is free.",
    "HOMOPLASY_DEVICE": "Where networks run: `cpu`, `cuda`, …; without it a GPU where there is one.",
}
FOREIGN = {
    "OMP_NUM_THREADS": "The number of threads of heavy maths; without it every core.",
    "AWS_ENDPOINT_URL": "Another S3 provider, or a mirror of NSD.",
    "HF_HUB_OFFLINE": "`1`: weights are taken from the cache of the model hub alone.",
}
SAID = {  # where neither params.yaml nor conf/ says more than which words there are
    ("pocket", "truth"): "see [truth](../glossary.md#truth); keep the quotes of `'null'`",
    ("fetch", "dataset"): "how the raw data are made; a world names it",
    ("fetch", "region"): "of the bucket",
    ("fetch", "beta_version"): "which of the three response estimates of NSD",
    ("fetch", "beta_format"): "the format of the session files",
}
_SHORT = {"as_written": "written", "as_released": "released"}
_KINDS = {int: "whole number", float: "number", str: "word", bool: "`true`, `false`"}
_BOUNDS = {
    annotated_types.Gt: lambda bound: f"above {bound.gt:g}",
    annotated_types.Ge: lambda bound: f"at least {bound.ge:g}",
    annotated_types.Lt: lambda bound: f"below {bound.lt:g}",
    annotated_types.Le: lambda bound: f"at most {bound.le:g}",
}
Files = Mapping[str, Mapping[str, Any]]


def page() -> str:
    """The whole page."""
    conf = {kind: _conf(kind) for kind in CHOICES}
    choices = "\n".join(f"| `{kind}` | {', '.join(map(code, files))} |" for kind, files in conf.items())
    parts = [HEAD.format(choices=choices), *(_section(name, conf) for name in SECTIONS)]
    said = table(["variable", "meaning"], [(code(name), text) for name, text in (ENVIRONMENT | FOREIGN).items()])
    return "\n".join([*parts, MACHINE.format(execution=_execution(), environment=said)])


def settings_of(section: str) -> type[BaseModel]:
    """The settings class of a section."""
    if importlib.util.find_spec(f"homoplasy.stages.{section}") is None:
        return fetch.Truth  # the section of the world itself
    found: type[BaseModel] = importlib.import_module(f"homoplasy.stages.{section}").Settings
    return found


def knobs() -> Iterator[tuple[str, str]]:
    """Every section with each of its knobs."""
    return ((section, name) for section in SECTIONS for name in settings_of(section).model_fields)


def meanings(section: str) -> dict[str, str]:
    """What the comments of params.yaml say of a section's knobs, and those of conf/ where it has none."""
    files = [*sorted((ROOT / "conf").glob("*/*.yaml")), ROOT / "params.yaml"]
    own = {name: said for path in files for name, said in _comments(path.read_text(), section)}
    return {"kernel_unit": "as in cka"} | own if section != "cka" else own


def _comments(text: str, section: str) -> Iterator[tuple[str, str]]:
    body = re.search(rf"(?ms)^{section}:.*?(?=^\w|\Z)", text)
    for line in body[0].splitlines() if body else ():
        found = re.match(r"  (\w+):[^#]*#\s*(.+)$", line)
        if found:
            yield found[1], found[2].strip()


def _section(name: str, conf: Mapping[str, Files]) -> str:
    settings = settings_of(name)
    said, rows = meanings(name), []
    for knob, field in settings.model_fields.items():
        given = " · ".join(filter(None, (_values(files, name, knob) for files in conf.values())))
        value = given or _from_params(name, knob) or ("" if field.is_required() else _literal(field.default))
        rows.append((code(knob), kind(field), value, SAID.get((name, knob)) or said.get(knob, "")))
    about = (settings.__doc__ or "").strip()
    body = table(["knob", "takes", "value", "meaning"], rows) if rows else "No knobs."
    return f"## {name}\n\n{about}\n\n{body}\n"


def _conf(kind: str) -> Files:
    found = sorted((ROOT / "conf" / f"{kind}s").glob("*.yaml"), key=_first_the_usual)
    return {path.stem: yaml.safe_load(path.read_text()) for path in found}


def _first_the_usual(path: Path) -> tuple[bool, str]:
    return path.stem not in yaml.safe_load((ROOT / "params.yaml").read_text()).values(), path.stem


def _values(files: Files, section: str, knob: str) -> str:
    """What each file gives a knob, written once where all agree."""
    given = {
        _SHORT.get(name, name): _literal(sections[section][knob])
        for name, sections in files.items()
        if knob in (sections.get(section) or {})
    }
    if len(given) == len(files) and len(set(given.values())) == 1:
        return next(iter(given.values()))
    return ", ".join(f"{name}: {value}" for name, value in given.items())


def _from_params(section: str, knob: str) -> str:
    value = (yaml.safe_load((ROOT / "params.yaml").read_text()).get(section) or {}).get(knob)
    return "" if value is None else _literal(value)


def _literal(value: Any) -> str:
    if isinstance(value, list | tuple) and value and isinstance(value[0], dict):
        return f"{len(value)} of them"
    return code(yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("...\n").strip())


def kind(field: FieldInfo) -> str:
    """What a knob takes, in words, with its bounds."""
    bounds = " and ".join(_BOUNDS[type(one)](one) for one in field.metadata if type(one) in _BOUNDS)
    more = field.description or bounds
    return _spoken(field.annotation) + (f"; {more}" if more else "")


def _spoken(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _spoken(inner[0])
    if origin is Literal:
        return ", ".join(_literal(word) for word in inner)
    if origin in (tuple, list):
        return f"list of: {_spoken(inner[0])}"
    if origin is Union or type(annotation).__name__ == "UnionType":
        return " or ".join(_spoken(one) for one in inner if one is not type(None))
    return _KINDS.get(annotation, "`name: value` pairs")


def _execution() -> str:
    rows = [
        (code(name), kind(field), _literal({} if field.default_factory else field.default))
        for name, field in _place.Execution.model_fields.items()
    ]
    return table(["name", "takes", "value"], rows)
