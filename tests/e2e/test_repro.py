"""`dvc repro` in a fresh checkout: it runs, it repeats, it survives, it runs no more than it must."""

import json
from contextlib import contextmanager

import pytest
import yaml

from tests.conftest import ROOT
from tests.e2e import checkout as checkouts

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
STAGES = list(yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"])


@pytest.fixture(scope="module")
def first(finished, tmp_path_factory):
    return finished.copy(tmp_path_factory.mktemp("first") / "checkout")


def test_a_fresh_checkout_runs_every_stage(first, output):
    assert sorted(checkouts.ran(output)) == sorted(STAGES)
    page = (first.root / "reports/index.html").read_text()
    assert "<svg" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert json.loads((first.root / "metrics.json").read_text())


def test_the_second_run_does_nothing(first, output):
    again = first.dvc("repro")
    assert checkouts.ran(again) == []
    assert "up to date" in again


@contextmanager
def changed(checkout, key, value):
    """Give one knob of params.yaml another value for a while."""
    path = checkout.root / "params.yaml"
    before = path.read_text()
    path.write_text(checkouts.with_knob(before, key, value))
    try:
        yield
    finally:
        path.write_text(before)


def test_a_changed_parameter_runs_its_descendants_only(first, output):
    with changed(first, "taxonomy.depth_bins", "4"):
        assert sorted(checkouts.ran(first.dvc("repro", "claims"))) == ["claims", "taxonomy"]
        assert checkouts.ran(first.dvc("repro", "--dry")) == ["report"]
    assert checkouts.ran(first.dvc("repro")) == [], "what was computed before is taken from the cache"


@pytest.mark.parametrize(
    ("key", "value", "stage"),
    [
        ("report.title", "Other", "report"),
        ("stats.draws", "100", "stats"),
        ("cka.images", "all", "cka"),
        ("extract.pool", "cls", "extract"),
        ("train.seed", "2", "train"),
        ("parcellate.min_voxels", "40", "parcellate"),
        ("pocket.seed", "7", "fetch"),
    ],
)
def test_the_first_stage_to_run_is_the_one_whose_section_changed(first, output, key, value, stage):
    with changed(first, key, value):
        assert checkouts.ran(first.dvc("repro", "--dry")) == [stage]


def test_a_wrong_parameter_stops_with_one_sentence(first, output):
    with changed(first, "stats.draws", "\n  drawz: 5"):
        said = first.dvc("repro", expected=255)
    assert "unknown parameter 'stats.drawz'" in said
    assert "Nearest: 'draws'" in said
    assert "Traceback" not in said


def test_the_settings_in_force_are_where_exp_show_finds_them(first, output):
    shown = first.dvc("exp", "show", "--json")
    assert "settings/cka.yaml" in shown
    assert "kernel_sizes" in shown
