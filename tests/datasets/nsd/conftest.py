import pytest

from tests.datasets.nsd import miniature


@pytest.fixture(scope="session")
def kept(tmp_path_factory):
    """A miniature tree that no test may change."""
    return miniature.write(tmp_path_factory.mktemp("kept"))


@pytest.fixture
def tree(tmp_path):
    """A miniature tree of the test's own, to be damaged."""
    return miniature.write(tmp_path)
