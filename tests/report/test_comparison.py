"""Two runs beside each other: every difference is found, and nothing else."""

import pandas as pd

from homoplasy.report import comparison, comparison_page
from homoplasy.report.comparison import Change, Run


def cell(verdict, ours=None, items=None, reading="calibrated"):
    return {"evidence": "world", "reading": reading, "verdict": verdict, "ours": ours, "items": items or {}}


def claim(name, *cells):
    return {"id": name, "says": f"Claim {name}.", "cells": list(cells)}


def item(ours):
    return {"published": None, "ours": ours, "low": None, "high": None}


def scores(shift):
    rows = {"model": ["a", "b", "c"], "modality": "vision", "reading": "calibrated", "params": "c=1 debiased"}
    numbers = {"score": [0.1 + shift, 0.2 + shift, float("nan")], "null_score": 0.0, "performance": [1.0, 2.0, 3.0]}
    return pd.DataFrame(rows | numbers | {"counted": True})


def test_settings_that_one_run_lacks_are_differences():
    found = comparison.compare(Run("x", {"a": 1, "b": True}), Run("y", {"a": 1.0, "c": [1]}))
    assert found.settings == [Change("b", True, None), Change("c", None, [1])]
    assert comparison.compare(Run("x", {"a": True}), Run("y", {"a": 1})).settings == []


def test_without_settings_in_force_of_both_the_parameters_are_compared():
    a, b = Run("x", {"a": 1, "b": 2}, {"a": 1}), Run("y", parameters={"a": 3})
    assert comparison.compare(a, b).settings == [Change("a", 1, 3)]


def test_numbers_that_agree_to_six_digits_are_the_same():
    assert comparison.compare(Run("x", metrics={"r": 0.5}), Run("y", metrics={"r": 0.5 + 1e-9})).metrics == []
    found = comparison.compare(Run("x", metrics={"l": {"r": 0.5}}), Run("y", metrics={"l": {"r": 0.51}}))
    assert found.metrics == [Change("l.r", 0.5, 0.51)]


def test_a_claim_differs_by_its_verdict_or_by_one_of_its_numbers():
    a = [claim("one", cell("survives", 0.9)), claim("two", cell("fails", items={"r": item(0.1)})), claim("three")]
    b = [claim("one", cell("weakened", 0.9)), claim("two", cell("fails", items={"r": item(0.2)})), claim("four")]
    found = comparison.compare(Run("x", claims=a), Run("y", claims=b))
    assert [(one.id, one.verdicts, one.numbers) for one in found.claims] == [
        ("one", ("survives", "weakened"), []),
        ("two", ("fails", "fails"), [Change("r", 0.1, 0.2)]),
    ]
    assert found.asked == 2


def test_a_reading_that_one_run_did_not_ask_is_said_and_an_early_ledger_can_be_read():
    a, b = [claim("one", cell("fails", items={"r": 0.1}))], [claim("one", cell("fails", items={"r": item(0.1)}))]
    assert comparison.compare(Run("x", claims=a), Run("y", claims=b)).claims == []
    more = [claim("one", cell("fails", items={"r": item(0.1)}), cell("fails", 0.3, reading="released"))]
    found = comparison.compare(Run("x", claims=b), Run("y", claims=more)).claims
    assert [(one.place, one.verdicts) for one in found] == [("this world, as released", ("not asked", "fails"))]


def test_the_text_says_what_is_lacking_and_counts():
    found = comparison.compare(Run("x", {"a": 1}, lacking=["no scores"]), Run("y", {"a": 2}))
    said = "\n".join(comparison.lines(found))
    assert said.startswith("A: x    B: y\n  x: no scores\n\nsettings: 1 differs\n  a  1 -> 2\n")
    assert "claims: none differs of 0" in said


def test_dots_of_both_runs_are_drawn_and_their_numbers_kept():
    drawing = comparison_page.scores(Run("x", scores=scores(0.0)), Run("y", scores=scores(0.3)))
    assert drawing.csv.decode().count("\n") == 5
    assert "A (x)" in drawing.caption
    assert comparison_page.scores(Run("x", scores=scores(0.0)), Run("y")) is None


def test_metrics_are_drawn_where_they_differ():
    same = comparison.compare(Run("x", metrics={"r": 1}), Run("y", metrics={"r": 1}))
    assert comparison_page.metrics(same) is None
    runs = Run("x", metrics={"r": 0.1, "z": 20.0, "word": "a"}), Run("y", metrics={"r": 0.2, "z": 30.0, "word": "b"})
    assert comparison_page.metrics(comparison.compare(*runs)).csv.decode().splitlines()[0] == "name,a,b"


def test_the_page_of_two_like_runs_says_so():
    run = Run("x <1>", {"a": 1})
    text = comparison_page.page(run, run, comparison.compare(run, run))
    assert "Every setting is the same." in text
    assert "Every claim has the same verdict" in text
    assert "There is nothing to draw" in text
    assert "x &lt;1&gt;" in text
