"""One whole pocket tree, generated once, and the world it was generated from."""

import pytest
from threadpoolctl import threadpool_limits

from homoplasy.datasets import pocket
from homoplasy.datasets.pocket import sizes

CHOICES = {
    "truth": "planted",
    "seed": 20250702,
    "subjects": [1, 2, 5, 7],
    "sessions": 10,
    "beta_version": "betas_fithrf_GLMdenoise_RR",
    "beta_format": "hdf5",
}


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Products of small matrices are ten times slower on many threads than on one, where cores are shared."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def make_world():
    """Make a world like that of the tree, with some choices of its own."""
    return lambda **changes: pocket.World(**{**CHOICES, "subjects": (1, 2, 5, 7), **changes})


@pytest.fixture(scope="session")
def generate():
    """Generate a tree with some choices of its own; gives back the planted models."""
    return lambda root, **changes: pocket.generate(root, **{**CHOICES, **changes})


@pytest.fixture
def few_training_pictures(monkeypatch):
    """What is generated here has hardly a picture to train on: most of the time of a small tree goes into those."""
    monkeypatch.setattr(sizes, "TRAINING_PICTURES", 10)


@pytest.fixture(scope="session")
def world(make_world):
    return make_world()


@pytest.fixture(scope="session")
def tree(tmp_path_factory, generate):
    root = tmp_path_factory.mktemp("pocket")
    generate(root)
    return root
