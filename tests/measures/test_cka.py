import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from homoplasy.errors import BadRequest
from homoplasy.maths import tiles
from homoplasy.measures import CKA
from homoplasy.representation import Representation
from homoplasy.scoring import score
from tests.maths import golden, naive
from tests.measures.changes import CKAS, generator


@pytest.mark.parametrize("measure", CKAS)
def test_a_measure_is_symmetric_and_one_for_itself(measure):
    x, y = golden.raw()
    assert torch.allclose(measure(x, y), measure(y, x), atol=1e-13)
    if not measure.epsilon:
        assert torch.allclose(measure(x, x), torch.ones(len(measure.params)).double())


def scored(measures, sources, targets, precision="float64"):
    """The rows of these arrays, whose rows are the same stimuli."""
    sides = (
        [Representation(np.asarray(one), np.arange(len(one)), f"{side}{place}") for place, one in enumerate(arrays)]
        for side, arrays in (("x", sources), ("y", targets))
    )
    return score(*sides, measures, precision=precision)


GOLDEN = [
    ({"kernel": "linear"}, [0.3997800058], [0.1134601117], [0.2938682043]),
    ({"sigma": (1, 2)}, [0.4066286038, 0.4536119895], [-0.1572473752, 0.0290662488], [0.4735382904, 0.4194309377]),
    (
        {"sigma_relative": (0.5, 1, 1000)},
        [0.4336153314, 0.4536235145, 0.3997800967],
        [-0.0648375344, 0.1069073485, 0.1134601426],
        [0.4524077688, 0.3683918826, 0.2938682935],
    ),
]


def test_the_golden_arrays_are_those_of_the_method():
    assert [one.sum().item() for one in golden.raw()] == pytest.approx([0.9627982710, -2.6660371339], abs=1e-9)


@pytest.mark.parametrize(("kernel", "biased", "debiased", "null"), GOLDEN)
def test_known_answers(kernel, biased, debiased, null):
    x, y = golden.raw()
    assert CKA(**kernel, debiased=False)(x, y).tolist() == pytest.approx(biased, abs=1e-8)
    assert CKA(**kernel)(x, y).tolist() == pytest.approx(debiased, abs=1e-8)
    table = scored([CKA(**kernel, debiased=False)], [x], [y])
    assert table["null_mean"].tolist() == pytest.approx(null, abs=1e-8)


@given(seed=st.integers(0, 2**31), debiased=st.booleans())
@settings(max_examples=25, deadline=None)
def test_it_agrees_with_the_naive_formulas(seed, debiased):
    x, y = (naive.zscore(one.numpy()) for one in torch.randn(2, 10, 6, generator=generator(seed), dtype=torch.float64))
    hsic = naive.hsic_song if debiased else naive.hsic_biased
    at = [naive.median_distance(one) for one in (x, y)]
    expected = {
        CKA(kernel="linear", debiased=debiased): naive.cka(naive.linear(x), naive.linear(y), hsic),
        CKA(sigma=2.0, debiased=debiased): naive.cka(naive.rbf(x, 2.0), naive.rbf(y, 2.0), hsic),
        CKA(debiased=debiased): naive.cka(naive.rbf(x, at[0]), naive.rbf(y, at[1]), hsic),
    }
    for measure, value in expected.items():
        assert measure(torch.from_numpy(x), torch.from_numpy(y)).item() == pytest.approx(value, abs=1e-9)


FLOORS = {28: [0.17, 0.32, 0.55, 0.89, 0.99], 68: [0.15, 0.27, 0.43, 0.65, 0.81]}


@pytest.mark.slow
def test_noise_against_noise_has_the_floor_of_its_size():
    """n = 1,000 stimuli, 2,048 features, 30 to 3,000 voxels, all independent: the biased score is size alone."""
    x = torch.randn(1000, 2048, generator=generator(0), dtype=torch.float64)
    voxels = [torch.randn(1000, v, generator=generator(v), dtype=torch.float64) for v in (30, 100, 300, 1000, 3000)]
    table = scored(
        [CKA(sigma=tuple(FLOORS), debiased=debiased) for debiased in (False, True)], [x], voxels, precision="float32"
    )
    for sigma, floors in FLOORS.items():
        found = table[table["params"] == f"sigma={sigma} biased"]
        assert found["value"].tolist() == pytest.approx(floors, abs=0.01)
        assert found["null_mean"].tolist() == pytest.approx(found["value"].tolist(), abs=0.003)
    assert table.loc[table["estimator"] == "debiased", "value"].abs().max() <= 0.006


def test_epsilon_stands_in_the_denominator_of_the_biased_score_alone():
    x, y = (one * 1e-3 for one in golden.raw())
    plain = {"kernel": "linear", "standardise": "none"}
    kx, ky = (naive.linear((one - one.mean(0)).numpy()) for one in (x, y))
    h = naive.hsic_biased
    expected = h(kx, ky) / (np.sqrt(h(kx, kx) * h(ky, ky)) + 1e-6)
    assert CKA(**plain, debiased=False, epsilon=1e-6)(x, y).item() == pytest.approx(expected, rel=1e-9)
    assert CKA(**plain, epsilon=1e-6)(x, y).item() == CKA(**plain)(x, y).item()


def reasons(measure, x):
    return scored([measure], [x], [golden.raw()[1]])["reason"].tolist()


@pytest.mark.parametrize("debiased", [True, False])
@pytest.mark.parametrize("standardise", ["drop_constant", "epsilon", "none"])
def test_constant_features_have_no_score(standardise, debiased):
    constant = torch.full((12, 3), 0.1)
    for measure in (
        CKA(standardise=standardise, debiased=debiased),
        CKA(kernel="linear", standardise=standardise, debiased=debiased),
    ):
        assert reasons(measure, constant) == ["constant_features"]
        assert math.isnan(measure(constant, golden.raw()[1]).item())


def test_a_value_that_is_not_finite_spoils_its_object_alone():
    x, y = golden.raw()
    spoiled = x.clone()
    spoiled[3, 1] = math.inf
    table = scored([CKA()], [spoiled, x], [y])
    assert table["reason"].tolist() == ["non_finite", ""]
    assert table["value"].iloc[1] == pytest.approx(0.1069073485, abs=1e-8)


@pytest.mark.parametrize("spoiled", [0, 1])
def test_a_side_without_a_sound_object_has_no_score(spoiled):
    sides = [[one] for one in golden.raw()]
    sides[spoiled][0] = torch.full((12, 3), math.nan)
    table = scored([CKA(), CKA(kernel="linear", debiased=False)], *sides)
    assert table["reason"].tolist() == ["non_finite"] * 2
    numbers = ["value", "null_mean", "null_sd", "se", "source_pr", "target_pr", "source_offdiagonal"]
    assert table[numbers].isna().all(axis=None)


def test_the_kernels_that_several_measures_share_are_swept_once(monkeypatch):
    kernels = []
    sweep = tiles.sweep
    monkeypatch.setattr(
        tiles, "sweep", lambda x, y, sigma, **more: (kernels.append(len(sigma[0])), sweep(x, y, sigma, **more))[1]
    )
    x, y = golden.raw()
    scored([CKA(sigma=(1, 2), debiased=debiased) for debiased in (True, False)] + [CKA(kernel="linear")], [x], [y])
    assert kernels == [3]
    scored([CKA(), CKA(sigma=1, standardise="none")], [x], [y])
    assert kernels == [3, 1, 1]


def test_kernels_without_information_have_no_score():
    x, y = golden.raw()
    tiny, huge = CKA(sigma=1e-3), CKA(sigma=1e7)
    assert reasons(tiny, x) == reasons(huge, x) == ["constant_kernel"]
    assert math.isnan(tiny(x, y).item())
    # A biased kernel that is the identity is not constant: its score is 1, and so is its chance level.
    assert CKA(sigma=1e-3, debiased=False)(x, y).item() == pytest.approx(1)


def test_more_than_half_the_pairs_identical_leave_no_relative_width():
    x = torch.zeros(12, 1)
    x[:2] = 1  # one stimulus apart would not do: its kernel is a sum a_i + a_j, which U-centring takes away
    assert reasons(CKA(), x) == ["zero_median_distance"]
    assert reasons(CKA(sigma=1.0), x) == [""]


def test_labels_are_those_of_the_tables():
    assert CKA(kernel="linear").params == ("linear debiased",)
    assert CKA(sigma=(36 * 0.25, 4.5), debiased=False).params == ("sigma=9 biased", "sigma=4.5 biased")
    assert CKA().params == ("c=1 debiased",)
    assert CKA().name == "cka.rbf"


BAD = {
    "kernel is 'rfb'": {"kernel": "rfb"},
    "standardise is 'yes'": {"standardise": "yes"},
    "no width": {"kernel": "linear", "sigma": 1.0},
    "give sigma or sigma_relative": {"sigma": 1.0, "sigma_relative": 1.0},
    "above zero": {"sigma": (1.0, 0.0)},
    "holds nan": {"sigma_relative": math.nan},
    "same width twice": {"sigma": (1.0, 1.0000001)},
    "epsilon is -1": {"epsilon": -1},
}


@pytest.mark.parametrize(("sentence", "given"), BAD.items())
def test_a_measure_without_meaning_is_refused(sentence, given):
    with pytest.raises(BadRequest, match=sentence):
        CKA(**given)


def test_three_stimuli_are_too_few():
    with pytest.raises(BadRequest, match="at least 4 stimuli, found 3"):
        CKA()(torch.randn(3, 2), torch.randn(3, 2))
