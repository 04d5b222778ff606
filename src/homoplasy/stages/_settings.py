"""Settings of a stage: the world's values, the preset's over them, params.yaml's over both; then checked.

`params.yaml` names every knob; an empty one takes the value of `conf/`. What is in force is recorded beside the
results, so that `dvc exp show` lists it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from homoplasy import written
from homoplasy.errors import BadRequest, listing, nearest
from homoplasy.store import files

CHOICES = ("world", "preset")
SECTIONS = (
    "pocket", "fetch", "parcellate", "train", "extract", "cka", "audit", "stats", "taxonomy", "multiverse", "claims",
    "report", "certify",
)  # fmt: skip


class Strict(BaseModel):
    """A slice of the parameters: an unknown key is an error, and nothing changes after it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=True)


S = TypeVar("S", bound=Strict)


def read(params: Path, section: str, model: type[S]) -> S:
    """Compose and check one section: world, then preset, then params.yaml."""
    given = _mapping(params)
    _known_sections(given, params)
    layers = [_mapping(_choice(params, given, kind)) for kind in CHOICES]
    merged: dict[str, Any] = {}
    for kind, layer in zip(CHOICES, layers, strict=True):
        where = f"conf/{kind}s/{given[kind]}.yaml"
        merged |= _said(layer.get(section), f"{where}: {section}")
    merged |= {key: value for key, value in (given.get(section) or {}).items() if value is not None}
    return check(merged, model, section)


def check(values: Mapping[str, Any], model: type[S], section: str) -> S:
    """Validate the values of a section; the first fault becomes one sentence."""
    try:
        return model.model_validate(_tuples(values, model))
    except ValidationError as faults:
        raise BadRequest(_sentence(faults.errors()[0], model, section)) from None


def record(settings: Mapping[str, Strict], at: Path) -> None:
    """Write the settings in force, section by section."""
    text = yaml.safe_dump({name: one.model_dump(mode="json") for name, one in settings.items()}, sort_keys=True)
    files.write_text(at, text)


def world(params: Path) -> str:
    """The world that is chosen."""
    given = _mapping(params)
    _choice(params, given, "world")
    return str(given["world"])


def preset(params: Path) -> str:
    """The preset that is chosen."""
    given = _mapping(params)
    _choice(params, given, "preset")
    return str(given["preset"])


def _mapping(path: Path) -> dict[str, Any]:
    try:
        loaded = written.read_yaml(path)
    except FileNotFoundError:
        raise BadRequest(f"{path} is missing; restore it with git checkout.") from None
    except written.Damaged as fault:
        raise BadRequest(f"{path} is not valid YAML {fault}; expected 'name: value' lines.") from None
    if not isinstance(loaded, dict):
        raise BadRequest(f"{path}: expected sections of 'name: value' lines, found {type(loaded).__name__}.")
    return loaded


def _known_sections(given: Mapping[str, Any], params: Path) -> None:
    known = (*CHOICES, *SECTIONS)
    for name, values in given.items():
        if name not in known:
            raise BadRequest(
                f"{params.name}: unknown section '{name}'; it takes {', '.join(known)}.{nearest(str(name), known)}"
            )
        if name in SECTIONS and not isinstance(values, dict | None):
            raise BadRequest(f"{params.name}: section '{name}' holds {values!r}; expected 'name: value' lines.")


def _choice(params: Path, given: Mapping[str, Any], kind: str) -> Path:
    """The conf file that a world or a preset names."""
    folder = params.parent / "conf" / f"{kind}s"
    known = sorted(path.stem for path in folder.glob("*.yaml"))
    word = given.get(kind)
    if word not in known:
        raise BadRequest(f"{kind} is {word!r}; it can be {listing(known)}.{nearest(str(word), known)}")
    return folder / f"{word}.yaml"


def _said(values: Any, where: str) -> dict[str, Any]:
    if not isinstance(values, dict | None):
        raise BadRequest(f"{where} holds {values!r}; expected 'name: value' lines.")
    for key, value in (values or {}).items():
        if value is None:
            raise BadRequest(f"{where}.{key} has no value; write one, and put the word null in quotes: 'null'.")
    return dict(values or {})


def _tuples(values: Mapping[str, Any], model: type[Strict]) -> dict[str, Any]:
    """YAML has lists; settings hold tuples."""
    fields = model.model_fields
    return {
        key: tuple(value)
        if isinstance(value, list) and key in fields and get_origin(fields[key].annotation) is tuple
        else value
        for key, value in values.items()
    }


def _sentence(fault: Any, model: type[Strict], section: str) -> str:
    """One fault: the key, the value found, what is allowed, the nearest known key."""
    place, key = ".".join([section, *map(str, fault["loc"])]), str(fault["loc"][0]) if fault["loc"] else ""
    known = list(model.model_fields)
    if fault["type"] == "extra_forbidden":
        return f"unknown parameter '{place}'; {section} takes {listing(known, 30)}.{nearest(key, known)}"
    if fault["type"] == "missing":
        return (
            f"parameter '{place}' has no value; {_allowed(model, key)}. Put the word null in quotes ('null') "
            "if that is what you mean."
        )
    return f"parameter '{place}' is {fault['input']!r}; {_allowed(model, key)} ({fault['msg'].rstrip('.').lower()})."


def _allowed(model: type[Strict], key: str) -> str:
    field = model.model_fields.get(key)
    if field is None:
        return "it does not fit"
    words = [repr(word) for word in get_args(field.annotation) if isinstance(word, str | int)]
    kind = f"one of {', '.join(words)}" if words else _spoken(field.annotation)
    return f"expected {kind}" + (f", {field.description}" if field.description else "")


def _spoken(annotation: Any) -> str:
    simple = {int: "a whole number", float: "a number", str: "a word", bool: "true or false"}
    if annotation in simple:
        return simple[annotation]
    if get_origin(annotation) is tuple:
        inner = {int: "whole numbers", float: "numbers", str: "words"}.get(get_args(annotation)[0], "values")
        return f"a list of {inner}"
    return "another kind of value"
