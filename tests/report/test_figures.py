"""Every figure: its CSV holds the numbers of the tables, and its sentences follow from them."""

from io import BytesIO

import numpy as np
import pandas as pd
import pytest

from homoplasy.report import consistency, depth_profiles, labels, lags, plane, scale
from homoplasy.tables import DEPTHS, EMBEDDING, FACTS, LAGS, RANKS, SCALES
from tests.report.conftest import changes, delays, orders


def facts(*rows):
    bare = {"item": "", "low": np.nan, "high": np.nan, "p": np.nan, "n": 8, "note": ""}
    return FACTS.check(pd.DataFrame([bare | row for row in rows])) if rows else FACTS.empty()


@pytest.mark.parametrize(
    ("name", "table", "value"),
    [
        ("depths", "depths", "value"),
        ("scale", "scales", "delta"),
        ("lags", "lags", "lag"),
        ("consistency", "ranks", "rho"),
    ],
)
def test_the_numbers_drawn_are_those_of_the_table(drawn, inputs, name, table, value):
    (one,) = (drawing for drawing in drawn if drawing.name == name)
    csv = pd.read_csv(BytesIO(one.csv))
    source = inputs.study[table]
    keys = [key for key in ("reading", "modality", "subject", "network", "region", "bin", "transform", "a", "b")
            if key in csv]  # fmt: skip
    both = csv.merge(source, on=keys, suffixes=("", "_own"))
    assert len(both) == len(csv) > 0
    np.testing.assert_allclose(both[value], both[f"{value}_own"], rtol=1e-5)


def test_no_numbers_no_figure():
    none = facts()
    assert depth_profiles.figure(DEPTHS.empty(), none) is None
    assert scale.figure(SCALES.empty(), none) is None
    assert lags.figure(LAGS.empty(), none) is None
    assert consistency.figure(RANKS.empty()) is None
    assert plane.figure(EMBEDDING.empty(), none, pd.DataFrame({"region": [], "network": []})) is None


def test_agreement_of_subjects_stands_beside_its_chance_level():
    about = {"reading": "calibrated", "modality": "vision"}
    found = scale.figure(
        changes(),
        facts(
            about | {"fact": "sign_consistency", "value": 0.83, "p": 0.125},
            about | {"fact": "gradient_rho", "value": 0.4, "low": 0.1, "high": 0.6},
        ),
    )
    assert "0.83 of regions (chance for four subjects 0.67; p = 0.125)" in found.reading
    assert "ρ = 0.40 (0.10 to 0.60) calibrated" in found.reading


@pytest.mark.parametrize(
    ("lead", "said"),
    [
        (1, "Vision, raw weights, held out accuracy: the score comes first, 3 runs."),
        (-1, "Vision, raw weights, held out accuracy: performance comes first, 3 runs."),
        (0, "No lead is shown in 1 case of weights and benchmark."),
    ],
)
def test_a_lead_is_said_as_the_facts_have_it(lead, said):
    about = {"reading": "raw", "modality": "vision", "item": "held_out_accuracy"}
    found = lags.figure(delays(), facts(about | {"fact": "lead", "value": float(lead), "n": 3}))
    assert found.reading == said


@pytest.mark.parametrize(
    ("bounds", "said"), [((0.2, 0.6), "are more like the language profile"), ((-0.1, 0.6), "It is not shown that")]
)
def test_nearness_is_claimed_only_where_its_interval_says_so(inputs, bounds, said):
    near = {"reading": "calibrated", "modality": "vision", "fact": "nearer_language", "value": 0.4}
    known = facts(near | {"low": bounds[0], "high": bounds[1]})
    assert said in plane.figure(inputs.study["embedding"], known, inputs.regions).reading


def test_kernels_stand_by_width_before_the_calibrated_ones_and_the_other_measures():
    names = ["rsa.spearman", "cka.rbf c=1 debiased", "cka.rbf sigma=13 biased", "cka.rbf sigma=9 biased"]
    assert consistency.ordered([*names, "cka.rbf c=1 biased"]) == [names[3], names[2], names[1], names[0]]
    assert consistency.label("cka.rbf sigma=13 biased") == "σ 13"


def test_medians_are_told_apart_by_kind():
    said = consistency.figure(orders()).reading
    assert "Vision: median ρ among calibrated ones 0.80, between the two 0.60." in said


def test_names_that_would_run_into_each_other_are_left_out():
    kept = labels.apart([("a", 0.0, 0.0), ("b", 0.05, 0.01), ("c", 0.05, 0.5)], (1.0, 1.0))
    assert [name for name, _, _ in kept] == ["a", "c"]
