import numpy as np
import pytest

from homoplasy.datasets.pocket import roster
from homoplasy.datasets.pocket.world import VARIANTS
from homoplasy.tables import PERFORMANCE


def named(world, performs=True):
    return [one for one in roster.roster(world) if one.performs == performs]


def test_24_models_a_modality_from_56_to_512_units(world):
    for modality, first, last in (("vision", 0.0, 1.0), ("language", 0.8, 1.0)):
        models = [one for one in named(world) if one.modality == modality]
        widths, quality = np.array([one.width for one in models]), np.array([one.quality for one in models])
        assert len(models) == 24
        assert (widths[0], widths[-1]) == (56, 512)
        assert abs(np.diff(np.log(widths)) - np.log(512 / 56) / 23).max() < 0.02
        assert (quality.min(), quality.max()) == (0.05, 0.8)
        assert abs(np.corrcoef(quality, np.log(widths))[0, 1]) < 0.05
        assert all(len(one.places) == 8 and one.places[0] == first and one.places[-1] == last for one in models)


def test_families_have_narrow_and_wide_members(world):
    models = named(world)
    for family in {one.family for one in models}:
        widths = [one.width for one in models if one.family == family]
        assert len(widths) == 3
        assert min(widths) < 120 < 250 < max(widths)


def test_three_families_differ_in_place_alone(world):
    clades = [one for one in named(world, performs=False) if not one.flaw]
    assert {one.family for one in clades} == {"early", "late", "whole"}
    assert {one.quality for one in clades} == {0.6}
    assert len(clades) == 12


def test_two_models_are_flawed(world):
    assert {one.flaw for one in roster.roster(world) if one.flaw} == {"overflow", "constant"}


@pytest.mark.parametrize("truth", [one for one in VARIANTS if one != "planted"])
def test_the_other_variants_have_language_models_of_four_layers(make_world, truth):
    models = roster.roster(make_world(truth=truth))
    assert len(models) == 24
    assert {(one.modality, len(one.places)) for one in models} == {("language", 4)}
    assert {one.quality == 0 for one in models} == {truth == "width"}


def residual(y, *terms):
    x = np.column_stack([np.ones(len(y)), *terms])
    return y - x @ np.linalg.lstsq(x, y, rcond=None)[0]


@pytest.mark.parametrize("truth", VARIANTS)
def test_performance_follows_the_rule_of_its_variant(make_world, truth):
    world = make_world(truth=truth)
    models = named(world)
    table = PERFORMANCE.check(roster.performance(world))
    assert table["model"].tolist() == [f"planted:{one.name}" for one in models]
    quality, log_width = (np.array(x) for x in zip(*((m.quality, np.log(m.width / 40)) for m in models), strict=True))
    planned = {"width": 8 * log_width, "mixed": 6 * log_width + 15 * quality}.get(truth, 40 * quality)
    noise = table["performance"].to_numpy() - planned
    sd = 2 if truth == "width" else 1
    assert abs(noise.mean()) < 4 * sd / np.sqrt(len(models))
    assert 0.5 * sd < noise.std() < 1.6 * sd
