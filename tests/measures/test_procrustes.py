import math

import pytest
import torch

from homoplasy.errors import BadRequest
from homoplasy.measures import Procrustes
from tests.maths import golden, naive


def test_forms_are_of_one_likeness():
    x, y = golden.raw()
    likeness = Procrustes()(x, y).item()
    a, b = (torch.from_numpy(naive.zscore(one.numpy())) for one in (x, y))
    assert likeness == pytest.approx(torch.linalg.matrix_norm(a.T @ b, ord="nuc").item() / (a.norm() * b.norm()).item())
    assert Procrustes("angle")(x, y).item() == pytest.approx(math.acos(likeness))
    assert Procrustes("distance")(x, y).item() == pytest.approx(math.sqrt(2 - 2 * likeness))


def test_two_triangles_known_by_hand():
    """In the plane, an equilateral triangle against three points on a line.

    Q = 2/sqrt(6) (singular values 1/sqrt(2) each) against the line's single direction: |X'Y|_* = 1/sqrt(2).
    """
    triangle = torch.tensor([[0.0, 1.0], [-math.sqrt(3) / 2, -0.5], [math.sqrt(3) / 2, -0.5], [0.0, 0.0]])
    line = torch.tensor([[0.0], [-1.0], [1.0], [0.0]])
    assert Procrustes(standardise="none")(triangle, line).item() == pytest.approx(1 / math.sqrt(2))


def test_no_closed_form_of_chance_is_claimed():
    measure = Procrustes()
    g, h = (next(measure.geometry(measure.prepare([one]))) for one in golden.raw())
    found = measure.compare(g, h)
    assert found.null_mean.isnan().all()
    assert found.null_sd.isnan().all()


BAD = {
    "Procrustes: form is 'angel'; it can be likeness, angle, distance. Nearest: 'angle'": {"form": "angel"},
    "Procrustes: standardise is 'all'": {"standardise": "all"},
}


@pytest.mark.parametrize(("sentence", "given"), BAD.items())
def test_a_measure_without_meaning_is_refused(sentence, given):
    with pytest.raises(BadRequest, match=sentence):
        Procrustes(**given)
