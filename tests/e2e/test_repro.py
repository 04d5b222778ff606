"""`dvc repro` in a fresh checkout: it runs, it repeats, it survives, it runs no more than it must."""

import json

import pytest
import yaml

from tests.e2e import checkout as checkouts

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
STAGES = ["fetch", "parcellate", "train", "extract", "cka", "stats", "taxonomy", "report"]


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    return checkouts.make(tmp_path_factory.mktemp("first"))


@pytest.fixture(scope="module")
def output(first):
    """Run the whole pipeline once; what it printed."""
    return first.dvc("repro")


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


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("report.title=Other", {"report"}),
        ("stats.draws=100", {"stats", "report"}),
        ("taxonomy.depth_bins=4", {"taxonomy", "report"}),
        ("cka.images=all", {"cka", "stats", "taxonomy", "report"}),
    ],
)
def test_a_changed_parameter_runs_its_descendants_only(first, output, change, expected):
    key, _, value = change.partition("=")
    section, _, name = key.partition(".")
    path = first.root / "params.yaml"
    before = path.read_text()
    changed = yaml.safe_load(before)
    changed[section][name] = yaml.safe_load(value)
    path.write_text(yaml.safe_dump(changed))
    try:
        planned = first.dvc("repro", "--dry")
    finally:
        path.write_text(before)
    # a dry run also names the stages below, whose inputs may come out the same
    assert set(checkouts.ran(planned)) == expected


def test_a_run_that_is_killed_again_and_again_ends_in_the_same_bytes(first, output, tmp_path_factory):
    other = checkouts.make(tmp_path_factory.mktemp("killed"))
    for seconds in (4, 9, 14, 19, 24, 30):
        other.kill_repro_after(seconds)
    other.dvc("repro")
    assert other.lock() == first.lock()


def test_a_wrong_parameter_stops_with_one_sentence(first, output):
    path = first.root / "params.yaml"
    before = path.read_text()
    path.write_text(before.replace("  draws:", "  drawz: 5\n  draws:"))
    try:
        said = first.dvc("repro", expected=1)
    finally:
        path.write_text(before)
    assert "unknown parameter 'stats.drawz'" in said
    assert "Nearest: 'draws'" in said
    assert "Traceback" not in said


def test_the_settings_in_force_are_where_exp_show_finds_them(first, output):
    shown = first.dvc("exp", "show", "--json")
    assert "settings/cka.yaml" in shown
    assert "kernel_sizes" in shown
