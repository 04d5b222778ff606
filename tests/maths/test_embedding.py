"""Points on a plane: exact where a plane holds them, as good as scikit-learn's where it does not."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from homoplasy.maths import embedding


@pytest.fixture
def cloud():
    return np.random.default_rng(0).normal(size=(40, 6)) * [5, 3, 1, 1, 1, 1]


def test_principal_components_are_scikit_learns(cloud):
    found, share = embedding.principal(cloud)
    oracle = PCA(2).fit(cloud)
    np.testing.assert_allclose(np.abs(found), np.abs(oracle.transform(cloud)), atol=1e-9)
    assert share == pytest.approx(oracle.explained_variance_ratio_.sum())
    np.testing.assert_allclose(embedding.principal(cloud[::-1])[0][::-1], found, atol=1e-9)


def test_what_lies_on_a_plane_is_placed_exactly():
    rng = np.random.default_rng(1)
    flat = rng.normal(size=(25, 2)) @ rng.normal(size=(2, 7))
    found, stress = embedding.metric_scaling(flat)
    assert stress < 1e-12
    np.testing.assert_allclose(pdist(found), pdist(flat))


def test_scaling_lowers_the_stress_of_the_principal_components(cloud):
    d = pdist(cloud)

    def stress(x):
        return np.sqrt(((d - pdist(x)) ** 2).sum() / (d**2).sum())

    found, told = embedding.metric_scaling(cloud)
    assert told < stress(embedding.principal(cloud)[0])
    assert told == pytest.approx(stress(found), rel=1e-4)


def test_trustworthiness_is_scikit_learns(cloud):
    plane, _ = embedding.principal(cloud)
    assert embedding.trustworthiness(cloud, plane, 5) == pytest.approx(trustworthiness(cloud, plane, n_neighbors=5))
    assert embedding.trustworthiness(cloud, cloud, 5) == 1.0
