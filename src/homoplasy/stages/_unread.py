"""What extract has still to read of the roster in force, and how long that takes here; an estimate."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from homoplasy.models import _effort, _roster
from homoplasy.progress import duration
from homoplasy.stages import _placing, _settings, extract
from homoplasy.stages._entry import device, threads
from homoplasy.stages._sizes import sizes


def facts(root: Path) -> dict[str, Any]:
    """How many models there are to read, of how many the size is unknown, seconds of the others."""
    roster = _roster.read(root / "rosters", _settings.read(root / "params.yaml", "extract", extract.Settings).roster)
    waiting = [one for one in roster.entries if not _placing.place_of(root / "data" / "features", one.address).exists()]
    found = [effort for one in waiting if (effort := _effort.effort(one))]
    torch.set_num_threads(threads())
    flops = sum(one.flops for one in found) * sizes(root)[0]
    seconds = flops / _effort.trial(device()) if found else 0.0
    return {"models": len(waiting), "unknown": len(waiting) - len(found), "seconds": seconds}


def text(facts: Mapping[str, Any]) -> str:
    """The same in words."""
    if not facts["models"]:
        return "extract  nothing to read: the features of every model of the roster are here."
    rest = f", {facts['unknown']} of unknown size not counted" if facts["unknown"] else ""
    return f"extract  {facts['models']} models to read, about {duration(facts['seconds'])} by their sizes{rest}."
