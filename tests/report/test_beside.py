"""What stands beside a number, in words a reader can use; and what the page says where nothing does."""

import re
from io import BytesIO

import numpy as np
import pandas as pd
import pytest

from homoplasy.report import beside, beside_tables, certificates, specifications, verdicts
from homoplasy.report.page import certified, stands
from homoplasy.tables import CORRELATIONS
from tests.report import known


@pytest.fixture(scope="module")
def scores(inputs):
    return inputs.study["model_scores"]


def test_the_floor_of_a_correlation_is_what_repaired_images_give(scores):
    whole = scores[(scores["modality"] == "vision") & scores["counted"]].drop_duplicates("model")
    performance = whole.dropna(subset=["performance"])
    draws = [performance["performance"] * sign + 0.0 for sign in (1, -1)]
    rows = [
        pd.DataFrame(
            {"model": performance["model"], "modality": "vision", "draw": draw, "raw": values, "calibrated": np.nan}
        )
        for draw, values in enumerate(draws)
    ]
    found = beside.floors(pd.concat(rows), scores)
    assert found == {"vis.imagenet": "r with images re-paired (2 times), 95 %: released −0.95 to 0.95"}


def test_ceilings_other_brains_and_twins_are_said_beside_the_scores(scores):
    said = beside.levels(known.audit(scores), scores, "vision")
    assert "Noise leaves scores up to 0.60 (0.40 to 0.80) within reach: the ceiling of the median region" in said
    assert "The same region of another person scores 0.30 (median)." in said
    assert "untrained twins score 0.050 where their models score 0.200" in said
    assert "random features of the same width score 0.000" in said
    assert "Each scores above its own." in said
    assert beside.levels({}, scores, "vision") == ""


def test_models_that_learnt_nothing_are_named(scores):
    audit = known.audit(scores)
    name = audit["twins"].loc[audit["twins"]["source"].str.contains("vision"), "source"].iloc[0]
    audit["twins"].loc[audit["twins"]["source"] == name, "model_calibrated"] = 0.05
    assert f"Not above its own untrained twin: {name}." in beside.levels(audit, scores, "vision")
    assert "Each scores above its own." in beside.levels(audit, scores, "language")


def row(x, r, low, high, given=""):
    about = {"reading": "calibrated", "modality": "vision", "x": x, "y": "performance", "given": given, "n": 24}
    bounds = {"fisher_low": low, "fisher_high": high, "family_low": np.nan, "family_high": np.nan, "families": 8}
    return about | bounds | {"method": "pearson", "r": r, "p": 0.01, "interval": ""}


@pytest.mark.parametrize(
    ("plain", "over_subjects", "word"),
    [
        ((0.9, 0.8, 0.95), (0.9, 0.7, 1.0), "survives"),
        ((0.9, 0.8, 0.95), (0.5, -1.0, 1.0), "weakened"),  # one subject alone has it
        ((-0.9, -0.95, -0.8), (-0.9, -1.0, -0.7), "the opposite"),
        ((0.2, -0.1, 0.5), (0.2, 0.1, 0.3), "not shown"),
    ],
)
def test_the_headline_asks_for_its_sign_and_for_every_subject(scores, plain, over_subjects, word):
    rows = [row("score", *plain), row("score", *plain, given="log_width"), row("score_by_subject", *over_subjects)]
    found = verdicts.verdicts(scores, CORRELATIONS.check(pd.DataFrame(rows)))
    assert next(one.word for one in found if (one.modality, one.reading) == ("vision", "calibrated")) == word


def test_verdicts_carry_them_for_the_calibrated_reading_alone(inputs, scores):
    found = verdicts.verdicts(scores, inputs.study["correlations"], inputs.audit)
    assert all(("untrained twins" in one.sentence) == (one.reading == "calibrated") for one in found)


def test_a_certificate_in_words():
    table = known.certificates()
    assert beside.certificate(table, "lang.leaderboard2") == (
        "calibrated: false alarms in 1 of 20 (nothing shared) and 1 of 20 (only width differs), found in 18 of 20 "
        "worlds that have it; as released: false alarms in 1 of 20 (nothing shared) and 19 of 20 (only width differs), "
        "found in 18 of 20 worlds that have it"
    )
    assert beside.certificate(table, "fig3.lambada") == "none: no Pythia in a generated world"
    assert beside.certificate(table, "q1") == ""
    assert beside.certificate(table, "vis.imagenet") == ""


def test_the_table_of_certificates_has_counts_and_intervals():
    section = beside_tables.certificates(known.certificates())
    rows = {(row[0], row[1]): row[2:] for row in section.table.rows}
    assert rows["lang.leaderboard2", "as released"][1] == "19 of 20 (91 to 100 %)"
    assert rows["q1", "calibrated"] == ["–", "–", "7 of 20° (15 to 59 %)", "a late peak"]
    assert "fig3.lambada" in section.note


def test_the_figure_of_certificates_says_where_an_analysis_announces_what_is_not_there():
    drawing = certificates.figure(known.certificates())
    assert (
        "as released analysis announces what is not there more often than in 5 % of worlds in 1 of 2 cases"
        in drawing.reading
    )
    assert "most often lang.leaderboard2 (19 of 20, only width differs)" in drawing.reading
    assert len(pd.read_csv(BytesIO(drawing.csv))) == 7
    assert certificates.figure(None) is None
    assert certificates.figure(known.certificates().tail(1)) is None


def test_a_specification_curve_counts_support_and_names_the_choice_that_decides():
    tables = known.multiverse()
    (drawing,) = specifications.figures(tables["specifications"], tables["components"])
    assert drawing.name == "specifications-score-performance"
    assert "Vision: 67 % of 18 specifications support the claim (estimates 0.00 to 0.82)" in drawing.reading
    assert "the declared one gives 0.40 (0.20 to 0.60)" in drawing.reading
    assert "Most hangs on the kernel: 98 % of the variance" in drawing.reading
    drawn = pd.read_csv(BytesIO(drawing.csv))
    for _, mine in drawn.groupby("modality"):
        assert mine["estimate"].is_monotonic_increasing
    assert list(specifications.figures(None, None)) == []


def test_options_stand_in_the_order_of_their_numbers():
    table = known.multiverse()["specifications"]
    table = table.assign(bins=[4, 12, 8] * (len(table) // 3), given=["", "log_width"] * (len(table) // 2))
    (drawing,) = specifications.figures(table, None)
    rows = re.findall(r">([a-z]+: [^<]+)</text>", drawing.svg.decode())
    assert [row for row in rows if row.startswith("bins")] == ["bins: 4", "bins: 8", "bins: 12"]
    assert [row for row in rows if row.startswith("given")] == ["given: nothing", "given: ln width"]


def test_the_tables_of_choices_and_ceilings_can_be_read():
    choices = beside_tables.choices(known.multiverse()["components"])
    assert len(choices.table.rows) == 4
    assert choices.table.rows[0][4:] == ["0.98", "0.98", "0 % (linear)", "100 % (sigma=9)"]


def test_ceilings_are_means_over_subjects(scores):
    ceilings, matched = beside_tables.audit_tables(known.audit(scores))
    assert ceilings.table.rows[0] == ["V1", "40", "0.80", "9.0", "0.30", "0.50", "0.40"]
    assert matched.table.rows == [["vision", "V1", "0.100", "0.050", "0.010 to 0.090", "–"]]
    assert beside_tables.audit_tables({}) == []


def test_where_nothing_was_computed_the_page_says_what_to_run(inputs, bare):
    assert certified(inputs) == ""
    assert "make certify" in certified(bare)
    assert "dvc repro audit" in certified(bare)
    assert stands(bare).certificate("q1") == ""
