"""The random projection keeps inner products on average, and is what its formula says."""

import numpy as np
import pytest
import torch

from homoplasy.maths.projection import count_sketch


def test_it_is_the_matrix_of_its_formula():
    sketch = count_sketch(50, 8, np.random.default_rng(1))
    x = torch.randn(3, 50, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    matrix = torch.zeros(50, 8, dtype=torch.float64)
    matrix[torch.arange(50), sketch.buckets] = sketch.signs.double()
    torch.testing.assert_close(sketch(x), x @ matrix)


def test_the_same_seed_gives_the_same_projection_and_rows_are_projected_alone():
    x = torch.randn(6, 90, generator=torch.Generator().manual_seed(3))
    first, again, other = (count_sketch(90, 16, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert torch.equal(first(x), again(x))
    assert not torch.equal(first(x), other(x))
    assert torch.equal(first(x)[2:4], first(x[2:4]))


@pytest.mark.parametrize("spikes", [0, 5])
def test_inner_products_are_kept_on_average_and_within_the_bound(spikes):
    rng = np.random.default_rng(7)
    x = rng.standard_normal((2, 400))
    x[:, :spikes] *= 20
    k, draws = 32, 4000
    pair = torch.from_numpy(x)
    found = []
    for seed in range(draws):
        a, b = count_sketch(400, k, np.random.default_rng(seed))(pair)
        found.append(float(a @ b))
    exact, bound = x[0] @ x[1], ((x[0] @ x[0]) * (x[1] @ x[1]) + (x[0] @ x[1]) ** 2) / k
    assert abs(np.mean(found) - exact) < 4 * np.sqrt(bound / draws)
    assert np.var(found) < 1.15 * bound  # the variance of 4,000 draws is known to some per cent
