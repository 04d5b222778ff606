"""What the audit stage computes of one subject, piece by piece, each kept in the keyed store as soon as it is done."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from homoplasy import scoring
from homoplasy.maths import ceilings, resampling, standardise, subsets, unit_sampling
from homoplasy.maths.workers import one_thread
from homoplasy.measures import CKA
from homoplasy.measures._contract import hopeless
from homoplasy.representation import Representation
from homoplasy.scoring import floors, grids
from homoplasy.stages import _pairs
from homoplasy.stages._pairs import Model
from homoplasy.stages._pieces import Choice, Piece
from homoplasy.store import arrays, code, keyed
from homoplasy.studies.convergence import audit, matched, twins

Values = Callable[[arrays.Container, str, str], Representation]

_BLOCK = 250  # re-pairings of a piece
CENTRED = CKA(kernel="linear", standardise="none")
_ABOUT = ["source", "layer", "depth", "target", "region", "subject"]


@dataclass(frozen=True)
class Layers:
    """Some layers of some models."""

    models: Sequence[Model]
    which: pd.DataFrame  # source, layer

    @cached_property
    def _named(self) -> dict[str, list[str]]:
        return {str(source): rows["layer"].tolist() for source, rows in self.which.groupby("source")}

    @property
    def digests(self) -> list[object]:
        """What stands for them in keys."""
        return [[one.digest, self._named[one.name]] for one in self.models if one.name in self._named]

    def read(self, values: Values, images: NDArray[np.int64]) -> Iterator[Representation]:
        """Each over these images, its values as they are asked for."""
        for model in self.models:
            container = arrays.Container(model.path, "features")
            for layer in container.names() if model.name in self._named else ():
                if layer in self._named[model.name]:
                    facts = {"layer": layer, "depth": container.array_facts(layer).get("depth")}
                    found = values(container, layer, model.name).select(images)
                    yield Representation(found.values, found.stimulus_ids, model.name, facts=facts)


class Subject:
    """The regions of a subject, and the layers that they are checked against."""

    def __init__(self, path: Path, chosen: Layers, twins: Layers, choice: Choice) -> None:
        self.pairs = _pairs.Subject(path, choice.pairs)
        self.name, self.folder, self.choice = self.pairs.name, path.parent, choice
        self._chosen, self._twins = chosen, twins

    @cached_property
    def pieces(self) -> dict[str, list[Piece]]:
        """All that is computed of it, by what it is about."""
        few = (self.choice.voxels, self.choice.voxel_draws)
        return {
            "floors": [self._block(start) for start in range(0, self.choice.permutations, _BLOCK)],
            "noise": [self._piece(("linear", "ceilings"), self._noise, *few)],
            "matched": [self._piece(("matched",), self._matched, *few)],
            "gaussian": [self._piece(("scores",), self._gaussian, "gaussian")],
            "untrained": [self._piece(("scores",), self._untrained, "untrained", *self._twins.digests)],
        }

    def _block(self, start: int) -> Piece:
        """Some re-pairings; those that are there stay when more are asked for."""
        draws = range(start, min(start + _BLOCK, self.choice.permutations))
        make = partial(self._floors, draws)
        return self._piece(("null_scores", "largest", "tallies"), make, start, draws.stop, self.choice.top_share)

    def _piece(self, names: tuple[str, ...], make: Callable[[], Mapping[str, pd.DataFrame]], *rest: object) -> Piece:
        return Piece(keyed.key({"tables": names, "of": self._identity, "rest": rest}), names, make)

    @cached_property
    def _identity(self) -> str:
        """What decides the numbers of every piece."""
        parts = {"code": code.fingerprint(__name__), "seed": self.choice.seed}
        return keyed.key({**parts, "sources": self._chosen.digests, "targets": self.brain})

    @cached_property
    def brain(self) -> list[str]:
        """What stands for its patterns and repeats, and for the images and measure that are chosen, in keys."""
        chosen = repr((self.choice.pairs.images, self.choice.pairs.hemispheres, self.choice.measure))
        return [chosen, *(keyed.name_of(path) for path in (self.pairs.path, *self._repeat_files))]

    @property
    def _repeat_files(self) -> list[Path]:
        return sorted(self.folder.glob("repeat*.safetensors"))

    @cached_property
    def targets(self) -> list[Representation]:
        """Its regions over the images that are scored."""
        return list(self.pairs.targets())

    @cached_property
    def sources(self) -> list[Representation]:
        """The layers over the same images."""
        return list(self._chosen.read(_own, self.pairs.images))

    @cached_property
    def _standardised(self) -> list[Representation]:
        """The layers z-scored, so that a measure that only centres units takes them as any other does."""
        with one_thread():
            return [self._z_scored(one) for one in self.sources]

    def _z_scored(self, one: Representation) -> Representation:
        values = torch.from_numpy(one.values)
        if hopeless(values)[1]:
            return one
        return replace(one, values=standardise.RULES[self.choice.measure.standardise](values).numpy())

    @cached_property
    def cells(self) -> pd.DataFrame:
        """A row a layer and region."""
        reasons = [hopeless(torch.from_numpy(one.values))[1] for one in self.sources]
        rows = [
            (s.address, s.facts["layer"], s.facts["depth"], t.address, t.facts["region"], self.name, reason)
            for s, reason in zip(self.sources, reasons, strict=True)
            for t in self.targets
        ]
        table = pd.DataFrame(rows, columns=[*_ABOUT, "reason"])
        kernel, n = self.choice.kernel, len(self.pairs.images)
        return table.assign(measure=self.choice.measure.name, kernel=kernel, n=n)

    @cached_property
    def _paired(self) -> floors.Floors:
        return floors.Floors(self.sources, self.targets, self.choice.measure, device(), _pairs.allowed())

    def _floors(self, draws: range) -> Mapping[str, pd.DataFrame]:
        """A block of re-pairings: of all layers with all regions."""
        n = len(self.pairs.images)
        with one_thread():
            drawn = self._paired.drawn([resampling.permutation(n, self.choice.seed, draw) for draw in draws])
        chance = {name: audit.Chance(**vars(found)) for name, found in drawn.items()}
        sums, largest = audit.tallied(self.cells, chance, draws.start)
        sources = [one.address for one in self.sources]
        scores = audit.null_scores(sources, chance, self.choice.top_share, draws.start)
        return {"null_scores": scores.assign(modality=""), "largest": largest, "tallies": sums}

    def _noise(self) -> Mapping[str, pd.DataFrame]:
        """Ceilings of the regions, and linear scores with their centred patterns."""
        values = grids.grids(self._standardised, self.targets, [CENTRED], device(), _pairs.allowed())[..., 0]
        with one_thread():
            growth = [_growth(one) for one in self._standardised]
            regions = [self._region(*one) for one in self.limits()]
        linear = self.cells[audit.CELL].assign(linear=values.ravel(), growth=np.repeat(growth, len(self.targets)))
        return {"linear": linear, "ceilings": pd.DataFrame(regions)}

    def limits(self) -> Iterator[tuple[Representation, ceilings.Reliability | None, ceilings.Ceiling]]:
        """Every region, what its repeats share, and its ceiling over the images that are scored."""
        for target in self.targets:
            found = ceilings.reliability(*self.repeats(target), torch.from_numpy(target.values))
            yield target, found, found.ceiling if found else ceilings.Ceiling(np.nan, "no_repeats")

    def _region(
        self, target: Representation, found: ceilings.Reliability | None, limit: ceilings.Ceiling
    ) -> dict[str, object]:
        """Its row in the table of ceilings."""
        return {
            "target": target.address,
            "region": target.facts["region"],
            "subject": self.name,
            "voxels": target.n_units,
            "n": target.n_stimuli,
            "ceiling": limit.value,
            "ceiling_z": found.shared / found.sd if found else np.nan,
            "reason": limit.reason,
            **self._sampled(target),
            "between": np.nan,  # they need the other subjects
            "between_corrected": np.nan,
        }

    def _sampled(self, target: Representation) -> dict[str, object]:
        """What becomes of a ceiling with more voxels, or with fewer."""
        repeats, shown = self.repeats(target)
        few = self._voxels(target)
        known = self._shared(target, few)[0] if few else None
        least = known.ceiling if known else ceilings.Ceiling(np.nan, "no_repeats" if few else "few_voxels")
        return {
            "growth": unit_sampling.noise_free_growth(repeats, shown, torch.from_numpy(target.values)),
            "matched_voxels": self.choice.voxels if few else 0,
            "matched_ceiling": least.value,
            "matched_reason": least.reason,
        }

    def _shared(
        self, target: Representation, places: list[NDArray[np.int64]]
    ) -> tuple[ceilings.Reliability | None, NDArray[np.float64]]:
        """What the repeats of subsets of its voxels share, and what each subset holds."""
        repeats, shown = self.repeats(target)
        at = np.stack(places)
        shared, whole = subsets.reliability_of_subsets(repeats[..., at], shown, torch.from_numpy(target.values[:, at]))
        return shared, whole.numpy()

    def _voxels(self, target: Representation) -> list[NDArray[np.int64]]:
        if target.n_units < self.choice.voxels:
            return []
        name = target.address
        return matched.draws(self.choice.voxel_draws, target.n_units, name, self.choice.seed, self.choice.voxels)

    def repeats(self, target: Representation) -> tuple[Tensor, Tensor]:
        """The single showings of a region, (r, n, v), and which images had them, (r, n)."""
        values, shown = [], []
        for path in self._repeat_files:
            container = arrays.Container(path, "repeats")
            there = np.isin(target.stimulus_ids, container.stimulus_ids)
            found = container[str(target.facts["region"])].select(target.stimulus_ids[there]).values
            one = np.zeros(target.values.shape, dtype=np.float32)
            one[there] = found[:, self._columns(target, found.shape[1])]
            values.append(one)
            shown.append(there)
        if not values:
            return torch.zeros(0, *target.values.shape), torch.zeros(0, target.n_stimuli, dtype=torch.bool)
        return torch.from_numpy(np.stack(values)), torch.from_numpy(np.stack(shown))

    def _columns(self, target: Representation, voxels: int) -> slice:
        """Of a hemisphere the voxels on that side, of a whole region all."""
        if target.n_units == voxels:
            return slice(None)
        left = target.address == f"{self.name}/lh.{target.facts['region']}"
        return slice(target.n_units) if left else slice(voxels - target.n_units, None)

    def _matched(self) -> Mapping[str, pd.DataFrame]:
        """All layers with equally many voxels of every region."""
        places = {one.address: self._voxels(one) for one in self.targets}
        drawn_units = [
            Representation(one.values[:, at], one.stimulus_ids, f"{one.address}#{draw}", facts=one.facts)
            for one in self.targets
            for draw, at in enumerate(places[one.address])
        ]
        measures = self.choice.with_few_voxels
        labels = [(one.name, label.rpartition(" ")[0], one.estimator) for one in measures for label in one.params]
        values, (centred,) = (
            np.moveaxis(grids.grids(self._standardised, drawn_units, some, device(), _pairs.allowed()), 2, 0)
            for some in (measures, [CENTRED])
        )
        parts, start = [], 0
        for t, target in enumerate(self.targets):
            stop = start + len(places[target.address])
            cells = self.cells.iloc[t :: len(self.targets)]
            drawn = None
            if stop > start:
                by_kernel = {label: one[:, start:stop] for label, one in zip(labels, values, strict=True)}
                with one_thread():
                    known = self._shared(target, places[target.address])
                drawn = matched.Drawn(by_kernel, centred[:, start:stop], *known)
            parts.append(matched.matched(cells[_ABOUT], drawn, self.choice.voxels, cells["reason"].tolist()))
            start = stop
        return {"matched": matched.together(parts)}

    def _gaussian(self) -> Mapping[str, pd.DataFrame]:
        """Random numbers in the place of every layer, under the main kernel."""

        def values(container: arrays.Container, layer: str, model: str) -> Representation:
            shape = container.shape(layer)
            numbers = twins.random_numbers((shape[0], shape[1]), f"{model} {layer}", self.choice.seed)
            return Representation(numbers, container.stimulus_ids, model)

        return self._scores(self._chosen.read(values, self.pairs.images))

    def _untrained(self) -> Mapping[str, pd.DataFrame]:
        """The untrained twins, under the main kernel."""
        return self._scores(self._twins.read(_own, self.pairs.images))

    def _scores(self, sources: Iterator[Representation]) -> Mapping[str, pd.DataFrame]:
        return {"scores": scoring.score(sources, self.targets, self.choice.main, device(), _pairs.allowed())}


def _own(container: arrays.Container, layer: str, _: str) -> Representation:
    return container[layer]


def _growth(of: Representation) -> float:
    values = torch.from_numpy(of.values).double()
    return float("nan") if hopeless(values)[1] else unit_sampling.growth(values)


def device() -> str:
    """Where scores are computed: on a CPU unless told."""
    return os.environ.get("HOMOPLASY_DEVICE", "cpu")
