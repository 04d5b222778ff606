"""What stage tests share: a copy of the repository's choices, and the S3 server of the dataset tests."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.datasets.conftest import endpoint, line, s3, serve

__all__ = ["choices", "endpoint", "line", "s3", "serve"]


@pytest.fixture
def choices(tmp_path) -> Path:
    """The params.yaml of a checkout of its own, with its conf folder beside it, to be changed by a test."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    return tmp_path / "params.yaml"
