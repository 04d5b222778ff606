"""The features of a roster: planted ones placed, models read through the keyed store, wide layers cut by PCA."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml
from numpy.typing import NDArray

from homoplasy.address import Address
from homoplasy.errors import BadData, BadRequest, HomoplasyError
from homoplasy.maths import pca
from homoplasy.models._contract import Options, Reading, Stimuli, digest
from homoplasy.models._roster import Entry
from homoplasy.representation import Representation
from homoplasy.store import arrays, files, keyed, weights
from homoplasy.tables import MODELS

KIND = "features"
# What models of other people's making raise when they cannot be read; anything else is a fault of ours.
FAILURES = (HomoplasyError, OSError, RuntimeError, ValueError, TypeError, KeyError, AttributeError, ImportError)


@dataclass(frozen=True)
class Source:
    """One model of the roster: its address, and a container of its features over all stimuli."""

    address: Address
    stored: Callable[[], Path]


@dataclass(frozen=True)
class Extraction:
    """The stimuli of a world, and how models are read."""

    stimuli: Stimuli
    reading: Reading

    @cached_property
    def _pictures(self) -> str:
        return digest([self.stimuli.ids, *self.stimuli.picture_batches(1000)])

    @cached_property
    def _captions(self) -> str:
        return digest([self.stimuli.ids, np.frombuffer("\n".join(self.stimuli.captions).encode(), np.uint8)])

    def computed(self, entry: Entry) -> Path:
        """The stored features of a model, read only if they are not there yet."""
        model = entry.load(self.stimuli, self.reading)
        name = keyed.key(
            {
                "features": arrays.FORMAT,
                "address": str(entry.address),
                "options": entry.options.model_dump(mode="json"),
                "code": entry.version,
                "model": dict(model.identity),
                "stimuli": self._pictures if model.modality == "vision" else self._captions,
            }
        )

        def fill(part: Path) -> None:
            layers, facts = model.represent()
            arrays.write(part, KIND, layers, {"model": str(entry.address), "modality": model.modality, **facts})

        return keyed.keep(name, fill)


def planted(raw: Path, ids: NDArray[np.int64]) -> Iterator[Source]:
    """The ready-made models of the pocket world, which must cover the stimuli."""
    folder = raw / "pocket" / "planted"
    paths = sorted(folder.glob("*.safetensors"))
    if not paths:
        raise BadRequest(f"the roster asks for planted models, and {folder} has none; only the pocket world has them.")
    for path in paths:
        yield Source(Address("planted", path.stem), lambda path=path: _covering(path, ids))  # type: ignore[misc]


def _covering(path: Path, ids: NDArray[np.int64]) -> Path:
    container = arrays.Container(path, KIND)
    if container.facts.get("model") != f"planted:{path.stem}":
        raise BadData(f"{path.name}: it is the container of '{container.facts.get('model')}'; fetch it again.")
    missing = np.setdiff1d(ids, container.stimulus_ids)
    if missing.size:
        raise BadData(
            f"{path.name}: it lacks {missing.size} of the stimuli, the first is {missing[0]}; fetch it again."
        )
    return path


def checkpoints(models: Path) -> list[Entry]:
    """Every step of every run, in order."""
    runs = files.read_json(models / "runs.json")
    steps = [path for run in runs for path in sorted((models / run).glob("step-*.safetensors"))]
    return [Entry(Address("checkpoint", f"{path.parent.name}/{path.stem}"), Options()) for path in steps]


def stored_in(models: Path) -> Callable[[str], tuple[Mapping[str, Any], Mapping[str, NDArray[Any]]]]:
    """What reads a checkpoint's configuration and weights."""
    return lambda rest: weights.read(models / f"{rest}.safetensors")


def code_allowed(local: Path) -> frozenset[str]:
    """The models whose own code the user's local configuration allows; none where there is no such file."""
    try:
        given = yaml.safe_load(local.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return frozenset()
    except (yaml.YAMLError, UnicodeDecodeError):
        raise BadRequest(f"{local.name} is not valid YAML; expected 'name: value' lines.") from None
    names = given.get("remote_code", []) if isinstance(given, dict) else []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadRequest(f"{local.name}: remote_code is {names!r}; expected a list of models, such as ['owner/name'].")
    return frozenset(names)


@dataclass(frozen=True)
class Placing:
    """Where features go, for which stimuli, and from which width on components take their place."""

    features: Path
    ids: NDArray[np.int64]
    share: float
    above: float

    def place(self, source: Source) -> dict[str, Any]:
        """Put a model's features in their place, and give its row of the table."""
        stored = source.stored()
        container = arrays.Container(stored, KIND)
        at = self.features / source.address.source / f"{source.address.rest.replace('/', '--')}.safetensors"
        names = container.names()
        cut = self.share < 1 and any(self._wide(container[name]) for name in names)
        if cut or not np.array_equal(container.stimulus_ids, self.ids):
            layers = [self._cut(container[name].select(self.ids)) for name in names]
            arrays.write(at, KIND, layers, container.facts)
        else:
            keyed.place(stored, at)
        return row(str(source.address), container.facts, len(names))

    def _wide(self, layer: Representation) -> bool:
        """Whether a layer is cut: one that is not finite or constant stays as it is, for cka to say so."""
        if self.share == 1 or layer.n_units <= self.above or not np.isfinite(layer.values).all():
            return False
        return bool(np.ptp(layer.values, axis=0).any())

    def _cut(self, layer: Representation) -> Representation:
        if not self._wide(layer):
            return layer
        values = pca.scores(torch.from_numpy(layer.values.astype(np.float32)), self.share).numpy()
        return replace(layer, values=values, facts={**layer.facts, "pca": values.shape[1], "pca_variance": self.share})


def row(address: str, facts: Mapping[str, Any], layers: int, reason: str = "") -> dict[str, Any]:
    """A row of the table of models."""
    texts = {column: str(facts.get(column, "")) for column in ("modality", "family", "architecture", "run")}
    numbers = {"parameters": float(facts.get("parameters", "nan")), "step": int(facts.get("step", -1))}
    return {"model": address, "layers": layers, "reason": reason, **texts, **numbers}


def reason_of(failure: BaseException) -> str:
    """The first line of what went wrong; errors of others with their type."""
    words = str(failure).strip().partition("\n")[0]
    return words if isinstance(failure, HomoplasyError) else f"{type(failure).__name__}: {words}"


def table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The table of models, sorted by address."""
    return pd.DataFrame(rows).sort_values("model", ignore_index=True) if rows else MODELS.empty()
