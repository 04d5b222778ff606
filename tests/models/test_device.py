"""Networks on a GPU give the features that they give on a CPU, but for rounding."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from homoplasy.models import _vision
from homoplasy.models._vision import exact
from tests.models.families import SMALL
from tests.models.test_conformance import READING, built, prepare, shown


def test_convolutions_are_exact_for_a_while_only():
    before = torch.backends.cudnn.allow_tf32
    with exact():
        assert not torch.backends.cudnn.allow_tf32
    assert torch.backends.cudnn.allow_tf32 == before


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("family", ["resnet", "vision_transformer", "swin_transformer"])
def test_a_gpu_gives_the_features_of_the_cpu(family):
    name, size = SMALL[family]
    here = _vision.represent(built(name, size), prepare, shown(size), READING)
    there = _vision.represent(built(name, size), prepare, shown(size), replace(READING, device="cuda"))
    for one, other in zip(here, there, strict=True):
        assert np.abs(one.values - other.values).max() <= 1e-4 * max(1, np.abs(one.values).max())
