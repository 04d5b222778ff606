"""Weights trained here: a safetensors file, its configuration under one metadata key, the same bytes each time."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from homoplasy import written
from homoplasy.errors import BadData
from homoplasy.store import files

FORMAT = 1
KIND = "weights"


def write(path: Path, state: Mapping[str, NDArray[Any]], config: Mapping[str, Any]) -> None:
    """Write a state dictionary, whole or not at all."""
    about = json.dumps({"format": FORMAT, "kind": KIND, "config": dict(config)}, sort_keys=True, allow_nan=False)
    ordered = {name: np.ascontiguousarray(state[name]).reshape(state[name].shape) for name in sorted(state)}
    with files.whole(path) as part:
        save_file(ordered, part, metadata={"homoplasy": about})


def read(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read the configuration and the state dictionary."""
    if not path.exists():
        raise BadData(f"{path} is missing; run the stage that writes it (dvc repro train).")
    try:
        with safe_open(path, framework="numpy") as file:
            about = written.parse_json((file.metadata() or {}).get("homoplasy", "{}"))
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - the file is not a dictionary
    except (SafetensorError, OSError, TypeError, written.Damaged) as damage:
        raise BadData(f"{path} is not a whole safetensors file ({damage}); delete it and run dvc repro.") from None
    told = about if isinstance(about, dict) else {}
    if told.get("kind") != KIND or told.get("format") != FORMAT or not isinstance(told.get("config"), dict):
        raise BadData(
            f"{path}: expected {KIND} in format {FORMAT}, found '{told.get('kind')}' in format {told.get('format')}, "
            "or no configuration; delete it and run dvc repro."
        )
    return told["config"], state
