"""Rosters: lists of models in YAML, read safely and checked line by line before any model is touched."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from homoplasy import address, written
from homoplasy.address import Address
from homoplasy.errors import BadRequest, listing, nearest
from homoplasy.models._contract import Model, Options, Outline, Outlined, Reading, Stimuli
from homoplasy.models._facts import Facts

_M = TypeVar("_M", bound=BaseModel)
_NOTHING = Stimuli(np.empty(0, np.int64), [], lambda _ids: np.empty((0, 0, 0, 3), np.uint8))
_ALL = ("planted", "checkpoints")  # lines that stand for everything of a kind


@dataclass(frozen=True)
class Entry:
    """One model: its address, the options that its source takes, and what its line says of it."""

    address: Address
    options: Options
    facts: Facts = field(default_factory=Facts)

    def load(self, stimuli: Stimuli, reading: Reading) -> Model:
        """Ask its source for the model."""
        model: Model = address.load(self.address.source, "models").load(self.address, self.options, stimuli, reading)
        return model

    def outline(self, code_allowed: frozenset[str] = frozenset()) -> Outline | None:
        """The layers of the model, from its address alone; None for a source that shows them only when it reads."""
        model = self.load(_NOTHING, Reading("patch_mean", "last", 1, code_allowed=code_allowed))
        return model.outline() if isinstance(model, Outlined) else None

    def verify(self, code_allowed: frozenset[str]) -> None:
        """Hold what the line says of the model against what the model is, before it is run."""
        outline = self.outline(code_allowed) if self.facts.width or self.facts.depth else None
        if outline is not None:
            self.facts.verify(outline, str(self.address))

    @property
    def untrained(self) -> "Entry | None":
        """The same network with weights that have learnt nothing; None for what is no network, or has such weights."""
        named = getattr(address.load(self.address.source, "models"), "untrained", None)
        found: Address | None = named(self.address) if named else None
        return replace(self, address=found) if found else None

    @property
    def version(self) -> int:
        """The hand-raised version of its source's code."""
        return int(address.load(self.address.source, "models").VERSION)


@dataclass(frozen=True)
class Roster:
    """The models of a study; `planted` and `checkpoints` stand for all that the data folders hold."""

    entries: tuple[Entry, ...]
    planted: bool
    checkpoints: bool


def read(folder: Path, name: str, inside: tuple[str, ...] = ()) -> Roster:
    """Read and check a roster by its name; `inside` names the rosters that include it."""
    known = sorted(path.stem for path in folder.glob("*.yaml"))
    if name not in known:
        raise BadRequest(f"there is no roster '{name}'; there are {listing(known, 20)}.{nearest(name, known)}")
    where = f"rosters/{name}.yaml"
    if name in inside:
        raise BadRequest(f"{where} includes itself, by way of {' and '.join(inside)}; take one of the lines out.")
    try:
        lines = written.read_yaml(folder / f"{name}.yaml")
    except written.Damaged as fault:
        raise BadRequest(f"{where} is not valid YAML {fault}; expected lines such as '- planted: all'.") from None
    return parse(lines, where, lambda other: read(folder, other, (*inside, name)))


def parse(lines: Any, where: str, include: Callable[[str], Roster]) -> Roster:
    """Check the lines of a roster; the first fault is one sentence. A model that two included rosters share is one."""
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise BadRequest(f"{where}: expected a list of lines such as '- model: timm:resnet50.a1_in1k'.")
    parts = [_line(line, f"{where}, line {place}", include) for place, line in enumerate(lines, 1)]
    own = Counter(
        str(one.address) for line, part in zip(lines, parts, strict=True) if "model" in line for one in part.entries
    )
    text, times = own.most_common(1)[0] if own else ("", 0)
    if times > 1:
        raise BadRequest(f"{where}: '{text}' is listed more than once; keep one line of it.")
    entries: dict[str, Entry] = {}
    for one in (one for part in parts for one in part.entries):
        if entries.setdefault(str(one.address), one) != one:
            raise BadRequest(f"{where}: '{one.address}' comes with other facts from two places; make its lines equal.")
    return Roster(tuple(entries.values()), any(part.planted for part in parts), any(part.checkpoints for part in parts))


def _line(line: Mapping[str, Any], where: str, include: Callable[[str], Roster]) -> Roster:
    """What one line stands for: everything of a kind, another roster, a model, or a model at many steps."""
    for word in _ALL:
        if word in line:
            if line != {word: "all"}:
                raise BadRequest(f"{where}: expected '{word}: all' alone in its line, found {dict(line)}.")
            return Roster((), planted=word == "planted", checkpoints=word == "checkpoints")
    if "include" in line:
        if len(line) > 1 or not isinstance(line["include"], str):
            raise BadRequest(f"{where}: expected 'include: NAME' of a roster alone in its line, found {dict(line)}.")
        return include(line["include"])
    return Roster(tuple(entry(one, where) for one in _steps(line, where)), planted=False, checkpoints=False)


def entry(line: Mapping[str, Any], where: str) -> Entry:
    """Check one line: the address, then facts of the model and the options that its source takes."""
    if not isinstance(line.get("model"), str):
        known = ["model", "include", *_ALL]
        found = next(iter(line), "")
        raise BadRequest(f"{where}: expected one of {', '.join(known)}, found '{found}'.{nearest(str(found), known)}")
    parsed = address.parse(line["model"])
    accepted: type[Options] = address.load(parsed.source, "models").Options
    given = {key: value for key, value in line.items() if key != "model"}
    facts = {key: given.pop(key) for key in Facts.model_fields if key in given}
    known = [*accepted.model_fields, *Facts.model_fields]
    where = f"{where} ({parsed})"
    return Entry(parsed, _checked(accepted, given, known, where), _checked(Facts, facts, known, where))


def _checked(kind: type[_M], given: Mapping[str, Any], known: list[str], where: str) -> _M:
    try:
        return kind.model_validate(given)
    except ValidationError as faults:
        raise BadRequest(_sentence(faults.errors()[0], known, where)) from None


def _steps(line: Mapping[str, Any], where: str) -> Iterator[Mapping[str, Any]]:
    """One line a step of a training run, for a line that lists steps; the line itself otherwise."""
    if "steps" not in line:
        yield line
        return
    steps, rest = line["steps"], {key: value for key, value in line.items() if key != "steps"}
    if not isinstance(steps, list) or not steps or not all(type(step) is int and step >= 0 for step in steps):
        raise BadRequest(f"{where}: 'steps' is {steps!r}; expected a list of whole numbers such as [0, 1, 1000].")
    for step in steps:
        yield {**rest, "model": f"{rest.get('model')}@step{step}"}


def _sentence(fault: Any, options: list[str], where: str) -> str:
    key, known = str(fault["loc"][0]), ["model", *options]
    if fault["type"] == "extra_forbidden":
        return f"{where}: unknown key '{key}'; it takes {listing(known, 20)}.{nearest(key, known)}"
    words = fault["msg"].rstrip(".")
    return f"{where}: '{key}' is {fault['input']!r} ({words[:1].lower()}{words[1:]})."
