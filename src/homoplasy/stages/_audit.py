"""What the audit stage asks for and puts together: the layers that are checked, all pieces, all tables."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from homoplasy import scoring, tables
from homoplasy.errors import BadData, BadRequest, listing
from homoplasy.execution import Shard
from homoplasy.maths.workers import one_thread
from homoplasy.progress import track
from homoplasy.stages import _checks, _pairs, _settings, cka
from homoplasy.stages._checks import Layers, Subject
from homoplasy.stages._pieces import Choice, Piece
from homoplasy.store import arrays, code, frames, keyed
from homoplasy.studies.convergence import audit, matched, twins
from homoplasy.studies.convergence.brain_score import with_bins

Tables = dict[str, pd.DataFrame]

_LEAST = 4  # images that two subjects share: debiasing divides by n - 3


def scored_with(record: Path) -> cka.Settings:
    """The settings of the cka stage that were in force when the scores were made."""
    try:
        found = yaml.safe_load(record.read_text(encoding="utf-8"))["cka"]
    except (FileNotFoundError, yaml.YAMLError, KeyError, TypeError):
        raise BadData(f"{record} does not hold the settings of the cka stage; run dvc repro cka.") from None
    return _settings.check(found, cka.Settings, "cka")


def layers(models: Sequence[_pairs.Model]) -> pd.DataFrame:
    """Every layer of the models, with its depth."""
    rows = []
    for model in models:
        container = arrays.Container(model.path, "features")
        rows += [(model.name, name, container.array_facts(name).get("depth")) for name in container.names()]
    return pd.DataFrame(rows, columns=["source", "layer", "depth"]).astype({"depth": "float64"})


def at_depth(every: pd.DataFrame, known: pd.DataFrame, bins: int, binning: str, depth: int) -> pd.DataFrame:
    """The layers of the depth bin that is scored."""
    binned = with_bins(every, known, bins, binning)
    if len(binned) and depth not in set(binned["bin"]):
        there = listing([str(one) for one in sorted(set(binned["bin"]))], 30)
        raise BadRequest(f"no layer lies in depth bin {depth}; audit.depth can be {there}, or set audit.layers to all.")
    return binned[binned["bin"] == depth]


def of_last_steps(every: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The layers of whole models and, of every training run, of the last step."""
    last = known.groupby(["run", "weights"])["step"].transform("max")
    kept = known[(known["run"] == "") | (known["step"] == last)]
    return every[every["source"].isin(kept["model"])]


def voxels(brain: Sequence[Path], choice: _pairs.Choice, share: float) -> int:
    """How many voxels every region gives, from all regions of all subjects."""
    counts = [one.n_units for path in brain for one in _pairs.Subject(path, choice).targets()]
    return matched.voxels(counts, share)


@dataclass(frozen=True)
class Untrained:
    """The untrained twins that the extract stage read."""

    models: Sequence[_pairs.Model]
    table: pd.DataFrame  # tables.UNTRAINED

    def of(self, which: pd.DataFrame) -> Layers:
        """The same layers of the twins."""
        twin = which["source"].map(self.table.set_index("model")["twin"])
        return Layers(self.models, which[["layer"]].assign(source=twin).dropna().drop_duplicates())


def untrained(folder: Path) -> Untrained:
    """Read which twins there are."""
    return Untrained(_pairs.models(folder), frames.read(folder / "untrained.parquet", tables.UNTRAINED))


class Work:
    """The checks of all subjects."""

    def __init__(self, brain: Sequence[Path], chosen: Layers, untrained: Untrained, choice: Choice):
        self.choice, self.untrained = choice, untrained
        mine = untrained.of(chosen.which)
        self.subjects = [Subject(path, chosen, mine, choice) for path in brain]
        common = replace(choice, pairs=replace(choice.pairs, images="shared"))
        shared = [Subject(path, chosen, mine, common) for path in brain if _shares(path)]
        self.between = [_between(*two, choice) for two in combinations(shared, 2)]

    def pieces(self) -> list[Piece]:
        """All pieces, subject by subject, so that what is made of its regions is made once."""
        return [piece for one in self.subjects for some in one.pieces.values() for piece in some] + self.between

    def do(self, shard: Shard | None) -> None:
        """Compute what is not stored, or the share of a shard."""
        every = self.pieces()
        for piece in track(shard.of(every) if shard else every, "checks"):
            piece.keep()

    def tables(self, scores: pd.DataFrame, models: pd.DataFrame, units: str) -> Tables:
        """Everything in tables."""
        between = _together((one.read("between") for one in self.between), tables.BETWEEN)
        noise = [one.pieces["noise"][0] for one in self.subjects]
        ceilings = audit.with_others(_together((piece.read("ceilings") for piece in noise), tables.CEILINGS), between)
        checks = _together((self._checks(one, ceilings, units) for one in self.subjects), tables.CHECKS)
        few = _together((one.pieces["matched"][0].read("matched") for one in self.subjects), tables.MATCHED)
        every = audit.audited(scores)
        parts = [piece.read("null_scores") for one in self.subjects for piece in one.pieces["floors"]]
        return {
            "audit": every,
            "between": between,
            "ceilings": ceilings,
            "checks": checks,
            "matched": few,
            "matched_scales": matched.matched_scales(few, every, ceilings, models),
            "null_scores": audit.over_subjects(parts, models),
            "twins": self._twins(checks, every, models),
        }

    def _checks(self, subject: Subject, ceilings: pd.DataFrame, units: str) -> pd.DataFrame:
        floors, noise = subject.pieces["floors"], subject.pieces["noise"][0]
        sums, largest = (pd.concat([piece.read(name) for piece in floors]) for name in ("tallies", "largest"))
        return audit.checked(subject.cells, sums, largest, noise.read("linear"), ceilings, units)

    def _twins(self, checks: pd.DataFrame, every: pd.DataFrame, models: pd.DataFrame) -> pd.DataFrame:
        if checks.empty:
            return tables.TWINS.empty()
        mine = every[(every["measure"] == self.choice.measure.name) & (every["kernel"] == self.choice.kernel)]
        random, ignorant = (
            audit.audited(_together((one.pieces[kind][0].read("scores") for one in self.subjects), tables.SCORES))
            for kind in ("gaussian", "untrained")
        )
        known = twins.untrained(models, self.untrained.table)
        return twins.twins(checks, known, pd.concat([mine, ignorant]) if len(ignorant) else mine, random)


def _together(parts: Iterator[pd.DataFrame], schema: tables.Schema) -> pd.DataFrame:
    every = [part for part in parts if len(part)]
    return pd.concat(every, ignore_index=True) if every else schema.empty()


def _shares(path: Path) -> bool:
    container = arrays.Container(path, "patterns")
    return int(np.isin(container.stimulus_ids, container.facts["shared"]).sum()) >= _LEAST


def _between(a: Subject, b: Subject, choice: Choice) -> Piece:
    """The regions of two subjects against each other, over the images that both have seen."""
    parts = {"code": code.fingerprint(__name__), "choice": choice.kernel, "of": [one.brain for one in (a, b)]}

    def make() -> Tables:
        with one_thread():
            known = {of.address: (limit.value, limit.reason) for one in (a, b) for of, _, limit in one.limits()}
        pairs, linear = (
            scoring.score(a.targets, b.targets, measures, _checks.device(), _pairs.allowed())
            for measures in (choice.main, [_checks.CENTRED])
        )
        return {"between": audit.between(pairs, linear, known, (a.name, b.name))}

    return Piece(keyed.key(parts), ("between",), make)


def write(folder: Path, made: Tables) -> None:
    """Write the tables, each under the name of its schema."""
    for name, frame in made.items():
        frames.write(folder / f"{name}.parquet", frame, getattr(tables, name.upper()))


def summary(made: Tables) -> str:
    """How many scores there are, and how many of those that were checked chance does not reach."""
    checks = made["checks"]
    known = checks["p_family"].notna()
    above = int((checks["p_family"] <= 0.05).sum())
    return f"{len(made['audit'])} scores; of {int(known.sum())} checked, {above} above all of chance (p <= .05, max-T)"
