"""The shapes in the signatures are those of the numbers: right ones pass, in and out, and wrong ones are refused."""

import numpy as np
import pytest
import torch
from beartype import BeartypeConf, beartype
from jaxtyping import TypeCheckError, jaxtyped

from homoplasy.maths import (
    ceilings,
    cka,
    cknna,
    correlation,
    embedding,
    gram,
    jackknife,
    kernels,
    lags,
    multiplicity,
    neighbours,
    overlaps,
    partial,
    pca,
    permanova,
    procrustes,
    rdm,
    regression,
    resampling,
    ridge,
    signs,
    standardise,
    tiles,
)

CHECKED = jaxtyped(typechecker=beartype(conf=BeartypeConf(is_pep484_tower=True)))
RNG = np.random.default_rng(1)


def a(*shape):
    """Numbers in numpy."""
    return RNG.standard_normal(shape)


def t(*shape):
    """Numbers in torch."""
    return torch.from_numpy(a(*shape))


def lists(b, n, k):
    return np.stack([np.argsort(a(n, n), axis=1)[:, :k] for _ in range(b)])


# the function, arguments that fit, arguments that do not
CALLS = {
    "ceilings.linear_hsic": (ceilings.linear_hsic, (t(9, 3), t(9, 4)), (t(9, 3), t(8, 4))),
    "ceilings.ncsnr": (ceilings.ncsnr, (a(4) ** 2, a(4) ** 2 + 1), (a(4) ** 2, a(5) ** 2)),
    "cka.aligned": (cka.aligned, (t(2, 3, 4), [t(2, 3), t(2, 4)], 0.0), (t(2, 3, 4), 0.0, 0.0)),
    "cka.cka_biased": (cka.cka_biased, (t(5, 5), t(5, 5)), (t(5, 5), t(6, 6))),
    "cka.cka_debiased": (cka.cka_debiased, (t(5, 5), t(5, 5)), (t(5, 4), t(5, 4))),
    "cka.dots": (cka.dots, (t(2, 3, 7), t(2, 4, 7)), (t(2, 3, 7), t(2, 4, 6))),
    "cka.hsic_debiased": (cka.hsic_debiased, (t(5, 5), t(5, 5)), (t(5), t(5))),
    "cka.outer": (cka.outer, (t(2, 3), t(2, 4)), (t(2, 3), t(3, 4))),
    "cknna.hsic": (cknna.hsic, (cknna.Parts(a(3), a(3), a(3), a(3)), 9), (a(3), 9)),
    "correlation.correlation": (correlation.correlation, (a(9), a(9)), (a(9), a(8))),
    "correlation.residual": (correlation.residual, (a(9), a(9, 2)), (a(9), a(8, 2))),
    "embedding.principal": (embedding.principal, (a(9, 3),), (a(9),)),
    "embedding.trustworthiness": (embedding.trustworthiness, (a(9, 3), a(9, 2), 2), (a(9, 3), a(8, 2), 2)),
    "gram.gram": (gram.gram, (t(4, 3),), (t(4),)),
    "gram.eigh": (gram.eigh, (torch.eye(3).double(),), (t(3, 4),)),
    "jackknife.jackknife": (
        jackknife.jackknife, (t(2, 3, 4), t(5, 2, 3, 4), (0, 3, 6, 9, 12, 15)), (t(2, 3, 4), t(5, 2, 3, 5), (0, 9))
    ),
    "kernels.centre": (kernels.centre, (t(5, 5),), (t(5, 4),)),
    "kernels.squared_distances": (kernels.squared_distances, (t(5, 3),), (t(5),)),
    "kernels.median_distance": (kernels.median_distance, (t(5, 5).square(),), (t(5, 4),)),
    "lags.difference_correlation": (lags.difference_correlation, (a(9), a(9)), (a(9), a(7))),
    "multiplicity.benjamini_hochberg": (multiplicity.benjamini_hochberg, (abs(a(4)),), (abs(a(4, 1)),)),
    "neighbours.nearest": (neighbours.nearest, (t(9, 3), 2, "cosine"), (t(9), 2, "cosine")),
    "overlaps.shared": (overlaps.shared, (lists(2, 9, 3), lists(4, 9, 3), 2), (lists(2, 9, 3), lists(4, 8, 3), 2)),
    "overlaps.mutual_pairs": (overlaps.mutual_pairs, (lists(1, 9, 3)[0], (1, 2)), (lists(1, 9, 3), (1, 2))),
    "partial.weighted_partial": (
        partial.weighted_partial, (abs(a(3, 9)), a(9), a(9), a(9, 2)), (abs(a(3, 9)), a(9), a(9), a(8, 2))
    ),
    "pca.scores": (pca.scores, (t(9, 3), 0.9), (t(9), 0.9)),
    "permanova.permanova": (
        permanova.permanova, (a(9, 2), np.repeat([0, 1, 2], 3), 10, RNG), (a(9), np.repeat([0, 1, 2], 3), 10, RNG)
    ),
    "procrustes.likeness": (procrustes.likeness, (t(9, 3), t(9, 4)), (t(9, 3), t(8, 3))),
    "rdm.squared_euclidean": (rdm.squared_euclidean, (t(9, 3),), (t(9),)),
    "rdm.row_sums": (rdm.row_sums, (a(6), 4), (a(6, 1), 4)),
    "rdm.upper": (rdm.upper, (t(4, 4),), (t(4, 5),)),
    "regression.fit": (regression.fit, (a(9), a(9, 2)), (a(9), a(8, 2))),
    "resampling.weighted_correlation": (
        resampling.weighted_correlation, (abs(a(3, 9)), a(9), a(9)), (abs(a(3, 9)), a(9), a(8))
    ),
    "ridge.least": (ridge.least, (t(3, 4), t(3)), (t(3, 4), t(4))),
    "ridge.pearson": (ridge.pearson, (t(9, 2), t(9, 2)), (t(9, 2), t(9, 3))),
    "signs.flip_p": (signs.flip_p, (a(4, 3),), (a(4),)),
    "standardise.drop_constant": (standardise.drop_constant, (t(9, 3),), (t(9),)),
    "standardise.varying": (standardise.varying, (t(9, 3),), (t(9, 3, 1),)),
    "tiles.sweep": (
        tiles.sweep, ([t(9, 3)], [t(9, 2)], (torch.ones(2, 1), torch.ones(2, 1))),
        ([t(9, 3)], [t(9, 2)], (torch.ones(2, 1), torch.ones(3, 1))),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_right_shapes_pass_and_wrong_ones_are_refused(name):
    function, right, wrong = CALLS[name]
    checked = CHECKED(function)
    checked(*right)
    with pytest.raises(TypeCheckError):
        checked(*wrong)
