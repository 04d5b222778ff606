"""Agreement of signs: its chance level by simulation, and its exact test."""

import numpy as np
import pytest

from homoplasy.maths import signs


def test_chance_is_what_independent_subjects_reach():
    rng = np.random.default_rng(0)
    for subjects in (2, 4, 8):
        seen = signs.consistency(rng.normal(size=(subjects, 40_000)))
        assert seen == pytest.approx(signs.chance(subjects), abs=0.005)


def test_subjects_that_agree_are_as_rare_as_can_be():
    rng = np.random.default_rng(1)
    profile = rng.normal(size=30)
    alike = profile + 0.1 * rng.normal(size=(4, 30))
    assert signs.consistency(alike) > 0.9
    assert signs.flip_p(alike) == pytest.approx(1 / 8)


def test_independent_subjects_are_not_rare():
    rng = np.random.default_rng(2)
    p = [signs.flip_p(rng.normal(size=(4, 25))) for _ in range(200)]
    assert np.mean(np.array(p) <= 1 / 8) == pytest.approx(1 / 8, abs=3 * np.sqrt(7 / 64 / 200))
