"""Addresses such as `timm:resnet50.a1_in1k`: the module before the colon, the thing after it."""

import importlib
import importlib.util
import pkgutil
from dataclasses import dataclass
from types import ModuleType

from homoplasy.errors import BadRequest, listing, nearest


@dataclass(frozen=True)
class Address:
    """A source (a module of a room) and what that source knows the thing by."""

    source: str
    rest: str

    def __str__(self) -> str:
        return f"{self.source}:{self.rest}"


def parse(text: str) -> Address:
    """Split an address at its first colon.

    >>> parse("timm:resnet50.a1_in1k")
    Address(source='timm', rest='resnet50.a1_in1k')
    """
    source, colon, rest = text.partition(":")
    if not (source and colon and rest):
        raise BadRequest(f"expected an address such as 'timm:resnet50.a1_in1k', found '{text}'.")
    return Address(source, rest)


def sources(room: str) -> list[str]:
    """Name the public modules of a room, without importing any of them."""
    spec = importlib.util.find_spec(f"homoplasy.{room}")
    if spec is None or spec.submodule_search_locations is None:
        raise BadRequest(f"there is no room 'homoplasy.{room}'.")
    found = pkgutil.iter_modules(spec.submodule_search_locations)
    return sorted(module.name for module in found if not module.name.startswith("_"))


def load(source: str, room: str) -> ModuleType:
    """Import the module that serves a source, by name and only when it is needed."""
    known = sources(room)
    if source not in known:
        raise BadRequest(f"no source '{source}' in {room}; it has {listing(known)}.{nearest(source, known)}")
    return importlib.import_module(f"homoplasy.{room}.{source}")
