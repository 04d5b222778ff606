"""The claims at a glance are those of the ledger, and say what chance alone gives."""

import pytest

from homoplasy.report import ledger
from homoplasy.report.beside import Beside
from homoplasy.tables import CORRELATIONS
from tests.report import known as known_tables

CELL = {"evidence": "points", "reading": "released", "ours": 0.885, "low": None, "high": None, "items": {}}
CLAIM = {"id": "x", "says": "It is so.", "printed_in": "table 1", "published": {"pearson": 0.89}}


def claim(**cell):
    return CLAIM | {"cells": [CELL | {"verdict": "reproduced", "reason": "Near."} | cell]}


def item(ours, low=None, high=None):
    return {"published": 0.5, "ours": ours, "low": low, "high": high}


def test_every_claim_is_there_once_and_the_headlines_come_first(inputs):
    rows = ledger.rows(inputs.claims, inputs.study["correlations"])
    assert [row.id for row in rows][:2] == ["lang.leaderboard2", "vis.imagenet"]
    assert sorted(row.id for row in rows) == sorted(one["id"] for one in inputs.claims)
    counts = ledger.counts(rows)
    assert all(sum(one.values()) == len(rows) for one in counts.values())
    assert counts["printed points, as released"]["reproduced"] >= 10
    assert "reproduced" in ledger.summary(rows)


@pytest.mark.parametrize(
    ("cell", "ours"),
    [
        ({}, "0.885"),
        ({"low": 0.785, "high": 0.94}, "0.885 (0.785 to 0.94)"),
        (
            {"ours": None, "items": {"pearson": item(0.5, 0.4, 0.6), "spearman": item(-0.25)}},
            "r\u00a0=\u00a00.5 (0.4 to 0.6), ρ\u00a0=\u00a0−0.25",
        ),
        ({"ours": None, "items": {name: item(float(name)) for name in "1234"}}, "4 numbers, 1 to 4"),
        ({"ours": None}, "–"),
    ],
)
def test_our_number_is_written_with_what_is_known_of_it(cell, ours):
    (row,) = ledger.rows([claim(**cell)], CORRELATIONS.empty())
    assert row.cells[0].ours == ours
    assert row.cells[0].mark == "reproduced"
    assert row.published == "r\u00a0=\u00a00.89"
    assert [one.verdict for one in row.cells[1:]] == ["untestable here"] * 3


def test_every_number_of_a_claim_keeps_its_own_published_value_and_interval():
    (row,) = ledger.rows([claim(ours=None, items={"V1": item(-5.3, -6, -4), "V2": item(None)})], CORRELATIONS.empty())
    assert row.cells[0].items == [("V1", "0.5", "−5.3 (−6 to −4)"), ("V2", "0.5", "–")]


def test_a_written_reading_stands_where_the_released_one_does():
    (row,) = ledger.rows([claim(reading="written")], CORRELATIONS.empty())
    assert row.cells[0].verdict == "reproduced"


def test_a_claim_without_any_answer_is_not_testable():
    (row,) = ledger.rows([claim(verdict="untestable here", ours=None)], CORRELATIONS.empty())
    assert not row.testable
    assert ledger.summary([row]).startswith("No claim can be tested")


def test_chance_stands_beside_the_claims_whose_chance_level_is_known(inputs):
    known = {row.id: row.floor for row in ledger.rows(inputs.claims, inputs.study["correlations"])}
    assert known["lang.leaderboard2"].startswith("r = ")
    assert known["fig4.sign_consistency"].startswith("0.67")
    assert known["q1"] == "–"


def test_floors_and_certificates_stand_beside_their_claims(inputs):
    stands = Beside({"vis.imagenet": "r with images re-paired"}, known_tables.certificates(), "scores up to 0.6")
    rows = {row.id: row for row in ledger.rows(inputs.claims, inputs.study["correlations"], stands)}
    assert rows["vis.imagenet"].floor.endswith("; r with images re-paired")
    assert rows["lang.leaderboard2"].certificate.startswith("calibrated: false alarms in 1 of 20")
    assert rows["vis.imagenet"].certificate == ""
    assert (rows["vis.imagenet"].reach, rows["fig4.sign_consistency"].reach) == ("scores up to 0.6", "")
