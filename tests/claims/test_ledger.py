"""Verdicts follow from numbers by rule; a claims file that asks for what is not there is an error."""

import pandas as pd
import pytest
import yaml

from homoplasy.datasets import published
from homoplasy.errors import BadData
from homoplasy.studies.convergence import claims, ledger
from homoplasy.studies.convergence.further import nothing
from homoplasy.tables import CORRELATIONS, FACTS, PRINTED_CHECKS, TREE, VERDICTS
from tests.conftest import ROOT

STATED = ROOT / "claims/convergence.yaml"


def facts(*rows):
    about = {"reading": "calibrated", "modality": "vision", "fact": "f", "p": 0.01, "n": 9, "note": ""}
    names = ("item", "value", "low", "high")
    table = pd.DataFrame([about | dict(zip(names, row, strict=True)) for row in rows])
    return FACTS.check(table.astype(dict.fromkeys(names[1:], "float64")))


def claim(released=None, calibrated=None, **changes):
    own = {"id": "c", "says": "It is so.", "printed_in": "table 9", "missing": "a brain"}
    query = {"table": "facts", "where": {"item": "a"}, "take": "value", "low": ["low"], "high": ["high"]}
    cells = {"released": released, "calibrated": calibrated}
    asked = {name: query | change for name, change in cells.items() if change is not None}
    return own | {"evidence": {"world": asked}} | changes


def judged(stated, table, *, generated=False):
    parsed = claims.parse({"source": "s", "claims": [stated]}, "claims.yaml", 1.0)
    found = ledger.verdicts(parsed, ledger.Here({"points": {}, "world": {"facts": table}}, generated, "released"))
    return VERDICTS.check(found)


def cell(found, reading="calibrated"):
    rows = found[(found["evidence"] == "world") & (found["reading"] == reading) & (found["item"] == "")]
    assert len(rows) == 1
    return rows.iloc[0]


def test_a_confound_is_asked_of_the_items_of_the_claim_alone_and_of_each():
    held = {"table": "facts", "where": {"fact": "g"}, "says": "held"}
    query = {"where": {"fact": "f"}, "by": "item", "sign": 1, "confounds": [held]}
    stated = claim(calibrated=query, items={"x": "x", "y": "y"})
    both = [("x", 0.5, 0.2, 0.8), ("y", 0.4, 0.1, 0.7)]
    own, other = facts(*both, ("z", -0.5, -0.8, -0.2)), facts(*both, ("z", -0.5, -0.8, -0.2)).assign(fact="g")
    assert cell(judged(stated, pd.concat([own, other])))["verdict"] == "survives"
    assert cell(judged(stated, pd.concat([own, other[other["item"] != "y"]])))["verdict"] == "weakened"


def test_the_opposite_of_a_claim_is_called_so():
    row = cell(judged(claim(calibrated={}), facts(("a", -0.5, -0.8, -0.2))))
    assert row["verdict"] == "fails"
    assert row["reason"].endswith("; the opposite of the claim is shown.")
    assert "opposite" not in cell(judged(claim(calibrated={}), facts(("a", -0.5, -0.8, 0.2))))["reason"]


CONFOUND = {"confounds": [{"says": "at equal width", "where": {"item": "b"}}]}


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        ((0.5, 0.2, 0.8), (0.4, 0.1, 0.7), "survives"),
        ((0.5, 0.2, 0.8), (0.4, -0.1, 0.7), "weakened"),
        ((0.5, 0.2, 0.8), (-0.4, -0.7, -0.1), "weakened"),
        ((0.5, -0.2, 0.8), (0.4, 0.1, 0.7), "weakened"),
        ((0.5, float("nan"), float("nan")), (0.4, 0.1, 0.7), "weakened"),
        ((-0.5, -0.8, -0.2), (0.4, 0.1, 0.7), "fails"),
        ((float("nan"),) * 3, (0.4, 0.1, 0.7), "untestable here"),
    ],
)
def test_the_calibrated_verdict_needs_sign_interval_and_confound(a, b, verdict):
    row = cell(judged(claim(calibrated=CONFOUND), facts(("a", *a), ("b", *b))))
    assert row["verdict"] == verdict
    assert row["reason"].endswith(".")
    if verdict == "survives":
        assert row["reason"] == "0.5 (0.2 to 0.8); at equal width: 0.4 (0.1 to 0.7)."
        assert (row["ours"], row["low"], row["high"]) == (0.5, 0.2, 0.8)


def test_a_confound_that_is_not_known_weakens():
    row = cell(judged(claim(calibrated=CONFOUND), facts(("a", 0.5, 0.2, 0.8))))
    assert row["verdict"] == "weakened"
    assert "not known: at equal width" in row["reason"]


def test_the_neutral_value_and_the_sign_can_be_others():
    table = facts(("a", 0.5, 0.4, 0.6))
    for change, verdict in (({"neutral": 0.3}, "survives"), ({"neutral": 0.45}, "weakened"), ({"sign": -1}, "fails")):
        assert cell(judged(claim(calibrated=change), table))["verdict"] == verdict


NUMBER = {"published": {"value": 0.52}, "tolerance": 0.02}


def test_the_released_verdict_is_nearness():
    near = cell(judged(claim(released={}, **NUMBER), facts(("a", 0.505, 0, 1))), "released")
    assert near["verdict"] == "reproduced"
    assert near["reason"] == "0.505 beside the printed 0.52; the tolerance is 0.02."
    assert near["published"] == 0.52
    far = cell(judged(claim(released={}, **NUMBER), facts(("a", 0.45, 0, 1))), "released")
    assert far["verdict"] == "fails"
    assert "1 of 1 are further off (largest 0.07)" in far["reason"]


def test_generated_data_reproduce_nothing():
    row = cell(judged(claim(released={}, **NUMBER), facts(("a", 0.52, 0, 1)), generated=True), "released")
    assert row["verdict"] == "untestable here"
    assert row["reason"].startswith("Generated data cannot reproduce")


def test_a_claim_in_words_is_reproduced_by_its_sign():
    for value, verdict in ((0.1, "reproduced"), (-0.1, "fails")):
        assert cell(judged(claim(released={}), facts(("a", value, 0, 1))), "released")["verdict"] == verdict


def test_several_numbers_are_judged_together_and_shown_one_by_one():
    many = {"where": {}, "by": "item", "sign": 0}
    stated = {"published": {"a": 0.5, "b": -0.5}, "tolerance": 0.1}
    table = facts(("a", 0.45, 0.2, 0.7), ("b", -0.45, -0.7, -0.2), ("c", 9.0, 8.0, 10.0))
    found = judged(claim(released=many, calibrated=many, **stated), table)
    assert cell(found)["verdict"] == "survives"
    assert cell(found, "released")["verdict"] == "reproduced"
    assert set(found["item"]) == {"", "a", "b"}
    lacking = cell(judged(claim(released=many, **stated), table[:1]), "released")
    assert lacking["verdict"] == "untestable here"
    assert lacking["reason"] == "Missing: 1 of 2 numbers (b)."
    assert cell(judged(claim(calibrated=many, **stated), table.assign(value=-table["value"])))["verdict"] == "fails"


def test_without_a_query_or_a_row_it_is_untestable_and_says_what_is_missing():
    found = judged(claim(calibrated={"where": {"item": "z"}}), facts(("a", 1, 0, 2)))
    assert set(found["verdict"]) == {"untestable here"}
    assert set(found["reason"]) == {"Missing: a brain."}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"table": "fact"}, r"claim 'c' asks for the table 'fact'. Nearest: 'facts'."),
        ({"where": {"itm": "a"}}, r"table 'facts' has no column 'itm'. Nearest: 'item'."),
        ({"take": "valu"}, r"asks table 'facts' for 'valu'. Nearest: 'value'."),
        ({"where": {}}, r"2 rows of 'facts' answer for 'value'; say which"),
    ],
)
def test_a_query_that_cannot_be_is_an_error(change, sentence):
    with pytest.raises(BadData, match=sentence):
        judged(claim(calibrated=change), facts(("a", 1, 0, 2), ("b", 1, 0, 2)))


@pytest.mark.parametrize(
    ("stated", "sentence"),
    [
        ([claim(), claim()], "the claim 'c' occurs twice"),
        ([claim(published={"value": 1.0})], "claim 'c' has numbers and no tolerance"),
        ([claim(calibrated={"sine": 1})], r"claim 'c', claims.0.evidence.world.calibrated.sine: Extra inputs"),
        ([claim() | {"shape": "none"}], "claim 'c' has the unknown shape 'none'"),
        ([{"id": "c"}], r"claim 'c', claims.0.says: Field required"),
    ],
)
def test_a_claims_file_is_held_to_its_schema(stated, sentence):
    with pytest.raises(BadData, match=sentence):
        claims.parse({"source": "s", "claims": stated}, "claims.yaml", 1.0)


@pytest.mark.parametrize(
    ("shapes", "given", "sentence"),
    [
        ({"one": claim()}, ["level"], "claim 'd': expected words for its shape under 'with'"),
        ({"one": True}, {}, "expected 'shapes' that are each a claim"),
        (0.5, {}, "expected 'shapes' that are each a claim"),
    ],
)
def test_a_shape_that_cannot_be_filled_in_is_an_error(shapes, given, sentence):
    stated = {"id": "d", "shape": "one", "with": given}
    with pytest.raises(BadData, match=sentence):
        claims.parse({"source": "s", "shapes": shapes, "claims": [stated]}, "claims.yaml", 1.0)


def test_a_shape_is_filled_in_and_widths_follow_the_world():
    shapes = {"one": claim(calibrated={"where": {"item": "sigma=$k36 $what"}, "neutral": "$level"})}
    stated = {"id": "d", "shape": "one", "with": {"what": "biased", "level": 0.5}}
    (found,) = claims.parse({"source": "s", "shapes": shapes, "claims": [stated]}, "claims.yaml", 0.25).claims
    query = found.evidence.world.calibrated
    assert (found.id, query.where, query.neutral) == ("d", {"item": "sigma=9 biased"}, 0.5)


@pytest.fixture(scope="module")
def stated():
    return claims.parse(yaml.safe_load(STATED.read_text()), STATED.name, 1.0)


def test_every_query_of_the_file_finds_its_table_and_columns(stated):
    empty = nothing() | {"correlations": CORRELATIONS.empty(), "tree": TREE.empty()}
    points = nothing() | {"printed_checks": PRINTED_CHECKS.empty()}
    found = ledger.verdicts(stated, ledger.Here({"points": points, "world": empty}, generated=False, biased="released"))
    assert set(found["verdict"]) == {"untestable here"}
    assert set(found["claim"]) == {claim.id for claim in stated.claims}


def test_every_printed_row_and_every_claim_in_words_is_in_the_file(stated):
    ids = {claim.id for claim in stated.claims}
    printed = published.printed(ROOT / "data/published")
    assert set(printed.loc[printed["table"].isin(["table1", "table1_unprinted"]), "item"]) <= ids
    assert {f"q{number}" for number in range(1, 11)} == {name.split(".")[0] for name in ids if name[0] == "q"}


def test_the_numbers_of_the_file_are_the_printed_ones(stated):
    printed = published.printed(ROOT / "data/published").set_index(["table", "item", "quantity"])["value"]
    by_id = {claim.id: claim.published for claim in stated.claims}
    for table, item, quantity in printed.index:
        value = printed[table, item, quantity]
        if table.startswith("table1") and quantity in {"pearson", "spearman"}:
            assert by_id[item][quantity] == value
        if table == "regression":
            assert by_id[f"regression.{item}"][quantity] == value
        if table in {
            "fig4.delta_language",
            "fig4.delta_vision",
            "fig4.region_mean_language",
            "fig4.region_mean_vision",
        }:
            assert by_id[table].get(item, value) == value
        if table in {"fig3.lambada", "fig3.piqa", "fig3.mixnet_top1", "fig3.mixnet_top5"}:
            assert by_id[table][item.removeprefix("pythia-").removeprefix("mixnet_")] == value
        if table == "table2" or (table == "table3" and item != "S05-S01"):
            assert by_id[{"table2": "table2_language", "table3": "table3_vision"}[table]][item] == value


def test_counts_have_the_same_keys_in_every_run():
    found = ledger.counts(judged(claim(), facts(("a", 1, 0, 2))))
    assert found["world"]["calibrated"] == {
        "reproduced": 0, "survives": 0, "weakened": 0, "fails": 0, "untestable_here": 1,
    }  # fmt: skip
    assert set(found) == {"points", "world"}


def test_every_item_of_a_claim_has_its_own_numbers_in_the_json():
    stated = claim(calibrated={"where": {}, "by": "item"}, published={"a": 0.4, "b": 0.1}, tolerance=0.02)
    parsed = claims.parse({"source": "s", "claims": [stated]}, "claims.yaml", 1.0)
    table = judged(stated, facts(("a", 0.5, 0.2, 0.8), ("b", 0.3, float("nan"), float("nan"))))
    (told,) = ledger.plain(parsed, table)
    cells = {(one["evidence"], one["reading"]): one["items"] for one in told["cells"]}
    assert cells["world", "calibrated"] == {
        "a": {"published": 0.4, "ours": 0.5, "low": 0.2, "high": 0.8},
        "b": {"published": 0.1, "ours": 0.3, "low": None, "high": None},
    }
    assert cells["world", "released"] == {}
