"""Features into their place: the stimuli that are asked for, wide layers cut by PCA, once for all runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from homoplasy.address import Address
from homoplasy.errors import HomoplasyError, WorkFailed
from homoplasy.maths import pca
from homoplasy.models._contract import digest
from homoplasy.models._roster import Entry
from homoplasy.progress import say, track
from homoplasy.representation import Representation
from homoplasy.stages._extraction import FAILURES, KIND, Source
from homoplasy.store import arrays, code, keyed
from homoplasy.tables import MODELS, UNTRAINED

Row = dict[str, Any]


@dataclass(frozen=True)
class Placing:
    """Where features go, for which stimuli, and from which width on components take their place."""

    features: Path
    ids: NDArray[np.int64]
    share: float
    above: float

    def place(self, source: Source) -> Row:
        """Put a model's features in their place, and give its row of the table."""
        found = self._found(source)
        keyed.place(found, place_of(self.features, source.address))
        return _row_of(source, found)

    def keep(self, source: Source) -> Row:
        """Only see to it that the store holds a model's features."""
        return _row_of(source, self._found(source))

    def _found(self, source: Source) -> Path:
        """The features as they will be placed: as they were read, or what is left of them, made only once."""
        stored = source.stored()
        container = arrays.Container(stored, KIND)
        names = container.names()
        cut = self.share < 1 and any(self._wide(container[name]) for name in names)
        if not cut and np.array_equal(container.stimulus_ids, self.ids):
            return stored

        def fill(part: Path) -> None:
            arrays.write(part, KIND, [self._cut(container[name].select(self.ids)) for name in names], container.facts)

        return keyed.keep(self._key(stored), fill)

    def _key(self, stored: Path) -> str:
        """All that decides what is left of stored features."""
        return keyed.key(
            {
                "features": keyed.name_of(stored),
                "stimuli": digest([self.ids]),
                "share": self.share,
                "above": self.above,
                "code": code.fingerprint("homoplasy.maths.pca"),
            }
        )

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


def place_of(features: Path, address: Address) -> Path:
    """Where the features of a model lie."""
    return features / address.source / f"{address.rest.replace('/', '--')}.safetensors"


def answers(sources: Sequence[Source], step: Callable[[Source], Row], tolerated: int, what: str) -> pd.DataFrame:
    """Read every model; report those that fail, and fail with them where they are more than are tolerated."""
    rows = [attempted(step, source) for source in track(sources, what)]
    failed = [row for row in rows if row["reason"]]
    for row in failed:
        say(f"extract: {row['model']} failed: {row['reason']}")
    if len(failed) > tolerated:
        raise WorkFailed(f"{len(failed)} of {len(rows)} models could not be read; the first: {failed[0]['reason']}")
    return table(rows)


def attempted(step: Callable[[Source], Row], source: Source) -> Row:
    """Do a step with a model; one that cannot be read has a reason in its row."""
    try:
        return step(source)
    except FAILURES as failure:
        return row(str(source.address), source.labels, 0, reason_of(failure))


def _row_of(source: Source, found: Path) -> Row:
    container = arrays.Container(found, KIND)
    return row(str(source.address), {**container.facts, **source.labels}, len(container.names()))


def row(address: str, facts: Mapping[str, Any], layers: int, reason: str = "") -> Row:
    """A row of the table of models."""
    texts = {column: str(facts.get(column, "")) for column in ("modality", "family", "architecture", "run", "weights")}
    numbers = {"parameters": float(facts.get("parameters", "nan")), "step": int(facts.get("step", -1))}
    numbers["image_size"] = int(facts.get("image_size", 0))
    return {"model": address, "layers": layers, "reason": reason, **texts, **numbers}


def reason_of(failure: BaseException) -> str:
    """The first line of what went wrong; errors of others with their type."""
    words = str(failure).strip().partition("\n")[0]
    return words if isinstance(failure, HomoplasyError) else f"{type(failure).__name__}: {words}".removesuffix(": ")


def table(rows: list[Row]) -> pd.DataFrame:
    """The table of models, sorted by address."""
    return pd.DataFrame(rows).sort_values("model", ignore_index=True) if rows else MODELS.empty()


def of_models(twins: Mapping[str, Entry], found: pd.DataFrame) -> pd.DataFrame:
    """The twin of every model (`tables.UNTRAINED`); `found` is the table of the twins."""
    told = found.set_index("model")[["layers", "reason"]]
    rows = [{"model": name, "twin": (of := str(twins[name].address)), **told.loc[of]} for name in sorted(twins)]
    return UNTRAINED.check(pd.DataFrame(rows)) if rows else UNTRAINED.empty()
