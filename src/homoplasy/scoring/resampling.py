"""Scores of stimuli drawn anew, without replacement: re-paired at random, or half of them at a time.

Never with replacement: a stimulus drawn twice is at distance zero from its copy, which raises every likeness.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import get_args

import numpy as np
import pandas as pd

from homoplasy.errors import BadData, BadRequest, listing, nearest
from homoplasy.maths import resampling
from homoplasy.maths.tiles import Precision
from homoplasy.measures import Comparison, Measure
from homoplasy.representation import Representation
from homoplasy.scoring.cells import Block, Health, of_labels, of_sources, of_targets
from homoplasy.scoring.drawn import Drawn
from homoplasy.scoring.scorer import Scorer
from homoplasy.tables import DRAWS

_NAMES = ["source", "layer", "region", "measure", "params"]


def resample(  # noqa: PLR0913 - the face of the library; all but three have a default
    sources: Iterable[Representation],
    targets: Iterable[Representation],
    measures: Iterable[Measure],
    *,
    kind: resampling.Kind = "permutation",
    draws: int = 200,
    seed: int = 0,
    device: str = "cpu",
    memory: str = "2GB",
    precision: Precision = "float32",
) -> pd.DataFrame:
    """Score every pair on stimuli drawn anew: one row a pair, parameter and draw (`tables.DRAWS`).

    `permutation` pairs the stimuli of all targets with those of the sources at random: the scores are those of chance.
    `half` takes half of the stimuli, and the spread of the scores is their standard error over all of them. `split`
    takes one half and then the other: draws 2b and 2b + 1 share no stimulus, so what is chosen on one can be judged on
    the other. A draw is made from SeedSequence([seed, kind, draw]) over the sorted stimulus ids, and is the same for
    every pair with as many of them. CKA keeps the z-scores and kernel widths of all stimuli; other measures are
    computed anew.
    """
    kinds = get_args(resampling.Kind)
    if kind not in kinds:
        raise BadRequest(f"resample: kind is {kind!r}; it can be {listing(kinds)}.{nearest(str(kind), kinds)}")
    if draws < 1:
        raise BadRequest(f"resample: draws is {draws}; expected one or more.")
    scorer = Scorer(targets, measures, device, memory, precision, errors=False)
    parts = list(stream(scorer, sources, kind, draws, seed))
    return pd.concat(parts, ignore_index=True) if parts else DRAWS.empty()


def stream(
    scorer: Scorer, sources: Iterable[Representation], kind: resampling.Kind, draws: int, seed: int
) -> Iterator[pd.DataFrame]:
    """The rows of `resample`, some sources at a time: as many as memory holds."""
    for made in scorer.fill(
        sources, lambda of: [_Values(of, scorer) for _ in range(draws)], lambda n: _drawn(kind, n, draws, seed)
    ):
        yield DRAWS.check(_rows(made, kind))


def dual_interval(scores: pd.DataFrame, halves: pd.DataFrame, seed: int, level: float = 0.95) -> pd.DataFrame:
    """Interval of each mean over subjects, where subjects and stimuli are both drawn anew (maths.resampling).

    `scores` are those of all stimuli, `halves` those that `resample` gives of half of them; targets of different
    subjects belong together by their region. One row a source, layer, region, measure and parameter.
    """
    if set(halves["kind"]) - {"half"}:
        raise BadRequest("dual_interval: halves were drawn as permutations; draw them with kind='half'.")
    subjects = sorted(set(scores["subject"]))
    if len(subjects) < 2 or subjects != sorted(set(halves["subject"])):
        raise BadData(
            f"dual_interval: expected the same two subjects or more in both tables, found {listing(subjects)} in the "
            f"scores and {listing(sorted(set(halves['subject'])))} in the halves."
        )
    whole = scores.set_index([*_NAMES, "subject"])["value"].unstack("subject")[subjects]
    wide = halves.set_index([*_NAMES, "subject", "draw"])["value"].unstack(["draw", "subject"]).loc[whole.index]
    columns = pd.MultiIndex.from_product([range(halves["draw"].max() + 1), subjects], names=["draw", "subject"])
    values = wide[columns].to_numpy().reshape(len(whole), -1, len(subjects)).transpose(1, 2, 0)
    estimate = whole.to_numpy().mean(1)
    low, high = resampling.dual_interval(values, estimate, seed, level)
    return whole.index.to_frame(index=False).assign(subjects=len(subjects), value=estimate, low=low, high=high)


def _drawn(kind: resampling.Kind, n: int, draws: int, seed: int) -> list[Drawn]:
    every = resampling.draws(kind, n, draws, seed)
    return [Drawn(None if kind == "permutation" else one, one) for one in every]


class _Values:
    """The values of one draw while they are filled."""

    def __init__(self, sources: Sequence[Representation], scorer: Scorer) -> None:
        self.sources, self.targets = sources, scorer.targets
        self.labels = [(one.name, label, one.estimator) for one in scorer.measures for label in one.params]
        shape = len(sources), len(self.targets), len(self.labels)
        self.value, self.n = np.full(shape, np.nan), np.zeros(shape, dtype=np.int64)

    def fill(self, label: tuple[str, str], block: Block, compared: Comparison, health: tuple[Health, Health]) -> None:
        """Write what one parameter of one measure says of a block."""
        at = np.ix_(block.sources, block.targets, [[one[:2] for one in self.labels].index(label)])
        lost = np.logical_or.outer(*([bool(reason) for reason in side.reasons] for side in health))
        self.value[at] = np.where(lost, np.nan, compared.value.numpy(force=True))[..., None]
        self.n[at] = block.n


def _rows(draws: Sequence[_Values], kind: str) -> pd.DataFrame:
    """One row a draw and cell."""
    one, value = draws[0], np.stack([draw.value for draw in draws])
    b, s, t, m = (axis.ravel() for axis in np.indices(value.shape))
    named = of_sources(one.sources, s) | of_targets(one.targets, t) | of_labels(one.labels, m)
    columns = {name: column for name, column in named.items() if name in DRAWS.columns}
    numbers = {"draw": b, "n": one.n[s, t, m], "value": value.ravel()}
    return pd.DataFrame(columns | numbers).assign(kind=kind)
