"""Rosters: lists of models in YAML, read safely and checked line by line before any model is touched."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from homoplasy import address
from homoplasy.address import Address
from homoplasy.errors import BadRequest, listing, nearest
from homoplasy.models._contract import Model, Options, Reading, Stimuli

_ALL = ("planted", "checkpoints")  # lines that stand for everything of a kind


@dataclass(frozen=True)
class Entry:
    """One model: its address and the options that its source takes."""

    address: Address
    options: Options

    def load(self, stimuli: Stimuli, reading: Reading) -> Model:
        """Ask its source for the model."""
        model: Model = address.load(self.address.source, "models").load(self.address, self.options, stimuli, reading)
        return model

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


def read(folder: Path, name: str) -> Roster:
    """Read and check a roster by its name."""
    known = sorted(path.stem for path in folder.glob("*.yaml"))
    if name not in known:
        raise BadRequest(f"there is no roster '{name}'; there are {listing(known)}.{nearest(name, known)}")
    where = f"rosters/{name}.yaml"
    try:
        lines = yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        mark = getattr(fault, "problem_mark", None)
        raise BadRequest(f"{where} is not valid YAML{f' at line {mark.line + 1}' if mark else ''}.") from None
    return parse(lines, where)


def parse(lines: Any, where: str) -> Roster:
    """Check the lines of a roster; the first fault is one sentence."""
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise BadRequest(f"{where}: expected a list of lines such as '- model: timm:resnet50.a1_in1k'.")
    entries = tuple(
        entry(line, f"{where}, line {place}") for place, line in enumerate(lines, 1) if not _whole(line, where)
    )
    addresses = [str(one.address) for one in entries]
    for text in addresses:
        if addresses.count(text) > 1:
            raise BadRequest(f"{where}: '{text}' is listed more than once; keep one line of it.")
    wholes = {word for line in lines for word in line if word in _ALL}
    return Roster(entries, "planted" in wholes, "checkpoints" in wholes)


def entry(line: Mapping[str, Any], where: str) -> Entry:
    """Check one line: the address, then the options against those that its source takes."""
    if not isinstance(line.get("model"), str):
        known = ["model", *_ALL]
        found = next(iter(line), "")
        raise BadRequest(f"{where}: expected one of {', '.join(known)}, found '{found}'.{nearest(str(found), known)}")
    parsed = address.parse(line["model"])
    accepted: type[Options] = address.load(parsed.source, "models").Options
    try:
        return Entry(parsed, accepted.model_validate({key: value for key, value in line.items() if key != "model"}))
    except ValidationError as faults:
        raise BadRequest(_sentence(faults.errors()[0], accepted, f"{where} ({parsed})")) from None


def _whole(line: Mapping[str, Any], where: str) -> bool:
    """Whether a line stands for everything of a kind."""
    for word in _ALL:
        if word in line:
            if line != {word: "all"}:
                raise BadRequest(f"{where}: expected '{word}: all' alone in its line, found {dict(line)}.")
            return True
    return False


def _sentence(fault: Any, accepted: type[Options], where: str) -> str:
    key, known = str(fault["loc"][0]), ["model", *accepted.model_fields]
    if fault["type"] == "extra_forbidden":
        return f"{where}: unknown key '{key}'; it takes {listing(known)}.{nearest(key, known)}"
    return f"{where}: '{key}' is {fault['input']!r} ({fault['msg'].rstrip('.').lower()})."
