"""The cells of sources x targets x parameters while they are filled, and the rows they become."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from homoplasy.measures import Comparison, Measure
from homoplasy.representation import Representation
from homoplasy.tables import SCORES

_COMPARED = ("value", "null_mean", "null_sd", "se")
_HEALTH = {"offdiagonal": "off_diagonal", "pr": "participation_ratio"}


class Health(Protocol):
    """What is known of each object under one parameter."""

    @property
    def off_diagonal(self) -> Float[Tensor, " b"]:
        """Mean off-diagonal entry of the kernel; NaN where there is none."""

    @property
    def participation_ratio(self) -> Float[Tensor, " b"]:
        """Dimensions that the centred kernel fills; NaN where there is none."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why an object has no value; empty when it has."""


@dataclass(frozen=True)
class Block:
    """Some sources and some targets over the stimuli they share."""

    sources: list[int]
    targets: list[int]
    source_units: Sequence[int]
    target_units: Sequence[int]
    n: int


class Cells:
    """One cell a source, target and parameter."""

    def __init__(
        self, sources: Sequence[Representation], targets: Sequence[Representation], measures: Sequence[Measure]
    ) -> None:
        self._sources, self._targets = sources, targets
        self._labels = [(one.name, label, one.estimator) for one in measures for label in one.params]
        self._place = {label[:2]: place for place, label in enumerate(self._labels)}
        shape = (len(sources), len(targets), len(self._labels))
        health = [f"{side}_{fact}" for side in ("source", "target") for fact in _HEALTH]
        self._numbers = {name: np.full(shape, np.nan) for name in (*_COMPARED, *health)}
        self._counts = {name: np.zeros(shape, dtype=np.int64) for name in ("n", "source_units", "target_units")}
        self._reason = np.full(shape, "", dtype=object)

    def fill(self, label: tuple[str, str], block: Block, compared: Comparison, health: tuple[Health, Health]) -> None:
        """Write what one parameter of one measure says of a block."""
        at = np.ix_(block.sources, block.targets, [self._place[label]])
        reason = _either(*(side.reasons for side in health))
        self._reason[at] = reason[..., None]
        for name in _COMPARED:
            numbers = getattr(compared, name)
            if numbers is not None:
                self._numbers[name][at] = np.where(reason == "", numbers.numpy(force=True), np.nan)[..., None]
        axes: tuple[Any, ...] = ((slice(None), None, None), (None, slice(None), None))
        for side, found, across in zip(("source", "target"), health, axes, strict=True):
            for column, fact in _HEALTH.items():
                self._numbers[f"{side}_{column}"][at] = getattr(found, fact).numpy(force=True)[across]
        self._counts["n"][at] = block.n
        self._counts["source_units"][at] = np.array(block.source_units)[:, None, None]
        self._counts["target_units"][at] = np.array(block.target_units)[None, :, None]

    def rows(self) -> pd.DataFrame:
        """One row a cell, in the schema."""
        s, t, m = (axis.ravel() for axis in np.indices(self._reason.shape))
        cells = {name: array.ravel() for name, array in (self._numbers | self._counts).items()}
        reason = {"reason": pd.array(self._reason.ravel(), dtype="str")}
        named = of_sources(self._sources, s) | of_targets(self._targets, t) | of_labels(self._labels, m)
        return SCORES.check(pd.DataFrame(named | cells | reason))


def of_sources(sources: Sequence[Representation], at: NDArray[np.intp]) -> dict[str, Any]:
    """The columns that a source fills."""
    return {
        "source": _words([one.address for one in sources], at),
        "layer": _words([_fact(one, "layer", "") for one in sources], at),
        "depth": np.array([_fact(one, "depth", np.nan) for one in sources], dtype=float)[at],
    }


def of_targets(targets: Sequence[Representation], at: NDArray[np.intp]) -> dict[str, Any]:
    """The columns that a target fills."""
    return {
        "target": _words([one.address for one in targets], at),
        "region": _words([_fact(one, "region", "") for one in targets], at),
        "subject": _words([_fact(one, "subject", "") for one in targets], at),
        "ceiling": np.array([_fact(one, "ceiling", np.nan) for one in targets], dtype=float)[at],
    }


def of_labels(labels: Sequence[tuple[str, str, str]], at: NDArray[np.intp]) -> dict[str, Any]:
    """The columns that a measure and its parameter fill."""
    columns = list(zip(*labels, strict=True)) if labels else [(), (), ()]
    return {name: _words(words, at) for name, words in zip(("measure", "params", "estimator"), columns, strict=True)}


def _either(ours: Sequence[str], theirs: Sequence[str]) -> NDArray[Any]:
    """Why a pair has no value: the source's reason, else the target's."""
    left, right = np.array(ours, dtype=object)[:, None], np.array(theirs, dtype=object)[None, :]
    return np.where(left != "", left, right)


def _words(words: Sequence[str], at: NDArray[np.intp]) -> Any:
    return pd.array(list(words), dtype="str").take(at)


def _fact(of: Representation, name: str, missing: Any) -> Any:
    found = of.facts.get(name)
    return missing if found is None else found
