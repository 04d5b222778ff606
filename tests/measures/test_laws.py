"""Every measure keeps its promises: declared invariances hold, undeclared ones fail somewhere."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from homoplasy.errors import BadRequest
from homoplasy.measures import RSA, CycleKNN, MutualKNN, Procrustes
from homoplasy.representation import Representation
from homoplasy.scoring import score
from tests.maths import golden
from tests.measures.changes import CKAS, generator, moved, split

RULES = ("drop_constant", "epsilon", "none")
MEASURES = [
    *(MutualKNN(k=(2, 4), metric=metric, standardise=rule) for metric in ("cosine", "inner") for rule in RULES),
    *(CycleKNN(k=(2, 4), metric=metric) for metric in ("cosine", "inner")),
    *(RSA(compare=compare) for compare in ("pearson", "spearman", "cosine")),
    *(
        RSA(compare="pearson", dissimilarity=one, standardise=rule)
        for one in ("euclidean", "squared_euclidean", "cosine", "correlation")
        for rule in RULES
    ),
    *(Procrustes(form=form) for form in ("likeness", "angle", "distance")),
    *(Procrustes(standardise=rule) for rule in RULES[1:]),
]
DECLARED, UNDECLARED = split(dict.fromkeys([*CKAS, *MEASURES]))
EXCHANGEABLE = [one for one in MEASURES if not isinstance(one, CycleKNN)]


@pytest.mark.parametrize(("measure", "change"), DECLARED)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_a_declared_law_holds(measure, change, seed):
    assert moved(measure, change, seed) < 1e-9


@pytest.mark.parametrize(("measure", "change"), UNDECLARED)
def test_an_undeclared_law_fails_somewhere(measure, change):
    assert any(moved(measure, change, seed) > 1e-3 for seed in range(20))


@pytest.mark.parametrize("measure", EXCHANGEABLE)
def test_the_sides_can_be_exchanged(measure):
    x, y = golden.raw()
    assert torch.allclose(measure(x, y), measure(y, x), atol=1e-13)


@pytest.mark.parametrize("measure", MEASURES)
def test_the_order_of_the_stimuli_does_not_matter(measure):
    x, y = torch.randn(2, 14, 5, generator=generator(1), dtype=torch.float64)
    order = torch.randperm(14, generator=generator(2))
    assert torch.allclose(measure(x[order], y[order]), measure(x, y), atol=1e-12)


@pytest.mark.parametrize("measure", EXCHANGEABLE)
def test_likeness_to_itself_is_perfect(measure):
    x = golden.raw()[0]
    perfect = 0.0 if getattr(measure, "form", "likeness") != "likeness" else 1.0
    # angle and distance are roots of 1 - likeness: a rounding of 1e-16 there is 1e-8 here
    assert measure(x, x).tolist() == pytest.approx([perfect] * len(measure.params), abs=1e-7)


@pytest.mark.parametrize("measure", MEASURES)
def test_an_object_without_information_is_a_row_with_a_reason(measure):
    x, y = (one.numpy() for one in golden.raw())
    spoiled = x.copy()
    spoiled[2, 1] = np.nan
    ids = np.arange(12)
    sources = [
        Representation(one, ids, name) for name, one in [("x", x), ("flat", np.full_like(x, 0.1)), ("nan", spoiled)]
    ]
    table = score(sources, [Representation(y, ids, "y")], [measure])
    assert table["measure"].tolist() == [measure.name] * len(table)
    assert table["reason"].unique().tolist() == ["", "constant_features", "non_finite"]
    assert table["value"].isna().tolist() == (table["reason"] != "").tolist()
    assert math.isnan(measure(torch.full((12, 3), 0.1), golden.raw()[1])[0])


@pytest.mark.parametrize("measure", [MutualKNN(k=1), CycleKNN(k=1), RSA(), Procrustes()])
def test_three_stimuli_are_too_few(measure):
    with pytest.raises(BadRequest, match="at least 4 stimuli, found 3"):
        measure(torch.randn(3, 2), torch.randn(3, 2))
