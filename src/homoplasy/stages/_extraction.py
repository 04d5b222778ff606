"""The features of a roster: planted ones found, models read through the keyed store."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from homoplasy import written
from homoplasy.address import Address
from homoplasy.datasets import nsd
from homoplasy.errors import BadData, BadRequest, HomoplasyError
from homoplasy.models._contract import Options, Reading, Stimuli, digest
from homoplasy.models._roster import Entry, Roster
from homoplasy.models._shelf import Shelf
from homoplasy.stages._entry import device
from homoplasy.store import arrays, code, files, frames, keyed, weights
from homoplasy.tables import STIMULI

KIND = "features"
# What models of other people's making raise when they cannot be read; anything else is a fault of ours.
FAILURES = (
    HomoplasyError, OSError, RuntimeError, ValueError, TypeError, LookupError, AttributeError, ImportError,
    AssertionError, NotImplementedError, MemoryError,
)  # fmt: skip


@dataclass(frozen=True)
class Source:
    """One model of the roster: its address, and a container of its features over all stimuli."""

    address: Address
    stored: Callable[[], Path]
    labels: Mapping[str, Any] = field(default_factory=dict)  # what its roster line says of it


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
                "code": [entry.version, code.fingerprint(f"homoplasy.models.{entry.address.source}")],
                "model": dict(model.identity),
                "stimuli": self._pictures if model.modality == "vision" else self._captions,
            }
        )

        def fill(part: Path) -> None:
            entry.verify(self.reading.code_allowed)
            layers, facts = model.represent()
            arrays.write(part, KIND, layers, {"model": str(entry.address), "modality": model.modality, **facts})

        return keyed.keep(name, fill)


def stimuli(brain: Path, raw: Path, shelf: Shelf) -> Stimuli:
    """The pictures and captions of a world."""
    shown = frames.read(brain / "stimuli.parquet", STIMULI)
    return Stimuli(
        shown["stimulus_id"].to_numpy(np.int64), shown["caption"].tolist(), nsd.open_tree(raw).pictures, shelf
    )


def sources(roster: Roster, stimuli: Stimuli, reading: Reading, raw: Path, models: Path) -> list[Source]:
    """Every model of a roster, the ready-made ones first."""
    entries = [*roster.entries, *(checkpoints(models) if roster.checkpoints else [])]
    work = Extraction(stimuli, reading)
    found = [*(planted(raw, stimuli.ids) if roster.planted else [])]
    return found + [Source(one.address, lambda one=one: work.computed(one), one.facts.labels) for one in entries]  # type: ignore[misc]


def untrained(roster: Roster) -> dict[str, Entry]:
    """The untrained twin of every network of a roster, by the address of the network; step 0 stands for itself."""
    listed = {str(one.address) for one in roster.entries}
    found = {str(one.address): one.untrained for one in roster.entries}
    return {name: twin for name, twin in found.items() if twin and f"{name.partition('@step')[0]}@step0" not in listed}


def ignorant(twins: Mapping[str, Entry], stimuli: Stimuli, reading: Reading) -> list[Source]:
    """The twins, each once."""
    work = Extraction(stimuli, reading)
    distinct = {str(one.address): one for one in twins.values()}
    return [Source(one.address, lambda one=one: work.computed(one)) for one in distinct.values()]  # type: ignore[misc]


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
    there = {path.name for path in models.iterdir() if path.is_dir()}
    if not isinstance(runs, list) or not all(isinstance(run, str) and run in there for run in runs):
        raise BadData(f"{models / 'runs.json'} names other runs than there are; delete it and run dvc repro train.")
    steps = [path for run in runs for path in sorted((models / run).glob("step-*.safetensors"))]
    return [Entry(Address("checkpoint", f"{path.parent.name}/{path.stem}"), Options()) for path in steps]


def reading(settings: Mapping[str, Any], models: Path, local: Path) -> Reading:
    """How models are read: what the settings say, the runs that were trained, what the machine provides."""
    said = {one.name: settings[one.name] for one in fields(Reading) if one.name in settings}
    return Reading(**said, stored=stored_in(models), code_allowed=code_allowed(local), device=device())


def stored_in(models: Path) -> Callable[[str], tuple[Mapping[str, Any], Mapping[str, NDArray[Any]]]]:
    """What reads a checkpoint's configuration and weights."""
    return lambda rest: weights.read(models / f"{rest}.safetensors")


def code_allowed(local: Path) -> frozenset[str]:
    """The models whose own code the user's local configuration allows; none where there is no such file."""
    try:
        given = written.read_yaml(local)
    except FileNotFoundError:
        return frozenset()
    except written.Damaged as fault:
        raise BadRequest(f"{local.name} is not valid YAML {fault}; expected 'name: value' lines.") from None
    names = given.get("remote_code", []) if isinstance(given, dict) else []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadRequest(f"{local.name}: remote_code is {names!r}; expected a list of models, such as ['owner/name'].")
    return frozenset(names)
