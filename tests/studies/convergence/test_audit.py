import numpy as np
import pandas as pd
import pytest

from homoplasy.maths import moments
from homoplasy.studies.convergence import audit
from homoplasy.tables import AUDIT, BETWEEN, CEILINGS, CHECKS, LARGEST, LINEAR, SCORES, TALLIES
from tests.studies.convergence import made

N, NULL_SD = 100, moments.sd_debiased(100)


def filled(schema, table):
    empty = {"number": np.nan, "integer": N, "text": ""}
    return schema.check(table.assign(**{n: empty[k] for n, k in schema.columns.items() if n not in table.columns}))


@pytest.fixture(scope="module")
def scores():
    models = made.models(6, layers=2)
    return made.scores(models, made.facts(models))


def two_kernels(scores):
    """One kernel under both estimators."""
    return scores.assign(params=np.where(scores["estimator"] == "biased", "c=1 biased", "c=1 debiased"))


def test_a_row_has_both_estimators_and_what_chance_makes_of_them(scores):
    table = AUDIT.check(audit.audited(two_kernels(scores)))
    assert len(table) == len(scores) / 2
    row = table[table["ceiling"].notna()].iloc[17]
    same = scores[(scores[audit.CELL] == row[audit.CELL]).all(axis=1)].set_index("estimator")
    assert row["raw"] == same.loc["biased", "value"]
    assert row["floor"] == same.loc["biased", "null_mean"]
    assert row["calibrated"] == same.loc["debiased", "value"]
    assert row["z"] == pytest.approx(same.loc["debiased", "value"] / same.loc["debiased", "null_sd"])
    assert row["over_ceiling"] == pytest.approx(row["calibrated"] / row["ceiling"])
    assert set(table["kernel"]) == {"c=1"}


def test_rows_need_no_order(scores):
    table = two_kernels(scores)
    shuffled = table.sample(frac=1, random_state=1)
    key = list(AUDIT.key)
    one, other = (audit.audited(rows).sort_values(key, ignore_index=True) for rows in (table, shuffled))
    pd.testing.assert_frame_equal(one, other)


def test_an_estimator_that_was_not_asked_for_is_nan(scores):
    table = audit.audited(scores)  # the biased rows have another kernel
    assert set(table["kernel"]) == {"sigma=9", "c=1"}
    assert len(table) == len(scores)
    absolute, relative = (table[table["kernel"] == name] for name in ("sigma=9", "c=1"))
    assert absolute["calibrated"].isna().all()
    assert absolute["raw"].notna().all()
    assert relative["raw"].isna().all()
    assert relative["calibrated"].notna().all()


def test_other_measures_and_no_scores_make_no_rows(scores):
    assert audit.audited(SCORES.empty()).empty
    assert audit.audited(scores.assign(measure="mutual_knn")).empty


CELLS = pd.DataFrame(
    [(f"m{s}", "a", 0.75, f"subj01/{r}", r, "subj01", "") for s in range(2) for r in ("V1", "V2", "4")],
    columns=["source", "layer", "depth", "target", "region", "subject", "reason"],
).assign(measure="cka.rbf", kernel="c=1", n=N)


def chance(draws, seed, own=((0.3, 0.001, np.nan), (0.2, 0.0, 0.0))):
    rng = np.random.default_rng(seed)
    own, zero = np.array(own), np.zeros((2, 3))
    drawn = rng.normal(0, NULL_SD, (draws, 2, 3)).astype(np.float32)
    drawn[:, 0, 2] = np.nan
    debiased = audit.Chance(own, zero, zero + NULL_SD, drawn)
    return {"biased": audit.Chance(own + 0.4, zero + 0.4, zero + NULL_SD, drawn + 0.4), "debiased": debiased}


def ceilings():
    rows = {"subj01/V1": (0.9, "", 1.2), "subj01/V2": (0.6, "", 1.5), "subj01/4": (np.nan, "no_signal", np.nan)}
    table = pd.DataFrame([(t, *r) for t, r in rows.items()], columns=["target", "ceiling", "reason", "growth"])
    return filled(CEILINGS, table.assign(region=table["target"].str[7:], subject="subj01"))


def checked(blocks, units="none"):
    parts = [audit.tallied(CELLS, one, start) for start, one in blocks]
    sums, largest = (pd.concat(every, ignore_index=True) for every in zip(*parts, strict=True))
    linear = filled(LINEAR, CELLS[audit.CELL].assign(linear=np.arange(6) / 10, growth=2.0))
    return audit.checked(CELLS, sums, largest, linear, ceilings(), units).set_index(["source", "region"])


def test_checks_of_blocks_are_those_of_all_draws():
    every = chance(300, 1)
    halves = [
        (start, {name: one._replace(drawn=one.drawn[start : start + 150]) for name, one in every.items()})
        for start in (0, 150)
    ]
    pd.testing.assert_frame_equal(checked(halves), checked([(0, every)]), rtol=1e-9)
    found = checked(halves)
    drawn = every["debiased"].drawn
    assert set(found["draws"]) == {300}
    assert found.loc[("m0", "V1"), "p"] == 1 / 301
    assert found.loc[("m0", "V1"), "p_family"] == 1 / 301
    assert found.loc[("m0", "V2"), "p"] == pytest.approx((1 + (drawn[:, 0, 1] >= 0.001).sum()) / 301)
    largest = np.nanmax(drawn, axis=(1, 2), where=np.isfinite(np.array([[[1, 1, np.nan], [1, 1, 1]]])), initial=-1)
    assert found.loc[("m0", "V2"), "p_family"] == pytest.approx((1 + (largest >= 0.001).sum()) / 301)
    assert found.loc[("m0", "V2"), "permuted"] == pytest.approx(drawn[:, 0, 1].mean() + 0.4, abs=1e-6)
    assert found.loc[("m0", "V2"), "permuted_sd"] == pytest.approx(drawn[:, 0, 1].std(), rel=1e-4)
    assert found.loc[("m0", "V1"), ["raw", "calibrated", "floor"]].tolist() == [0.7, 0.3, 0.4]
    unknown = found.loc[("m0", "4")]
    assert unknown[["p", "p_family", "raw_p", "permuted", "z"]].isna().all()


def test_noise_is_taken_away_where_there_is_signal():
    found = checked([(0, chance(20, 1))])
    assert found.loc[("m1", "V1"), "corrected"] == pytest.approx(0.3 / 0.9)
    assert np.isnan(found.loc[("m1", "4"), "corrected"])
    assert found.loc[("m1", "4"), "ceiling_reason"] == "no_signal"
    assert found["unit_corrected"].isna().all()


def test_units_count_as_a_sample_where_that_is_asked_for():
    brain, both = (checked([(0, chance(20, 1))], units) for units in ("brain", "both"))
    assert brain.loc[("m1", "V2"), "unit_corrected"] == pytest.approx(0.4 * 1.5)
    assert both.loc[("m1", "V2"), "unit_corrected"] == pytest.approx(0.4 * 1.5 * 2)
    assert np.isnan(both.loc[("m1", "4"), "unit_corrected"])


def test_the_tallies_are_tables_of_their_own():
    sums, largest = audit.tallied(CELLS, chance(5, 1), 40)
    assert TALLIES.check(sums)["draws"].eq(5).all()
    assert LARGEST.check(largest)["draw"].tolist() == [*range(40, 45)] * 2


def test_null_brain_scores_are_those_of_the_best_regions_of_each_draw():
    drawn = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4)  # draws, layers, regions
    drawn[:, :, 3] = np.nan  # a region without a value
    one = audit.Chance(drawn[0], drawn[0], drawn[0], drawn)
    found = audit.null_scores(["a", "a", "b"], {"biased": one, "debiased": one}, 0.5, 10)
    means = np.stack([drawn[:, :2].mean(1), drawn[:, 2]], 1)[..., :3]
    expected = np.sort(means)[..., -2:].mean(-1)
    np.testing.assert_allclose(found["raw"].to_numpy().reshape(2, 2), expected)
    assert found["draw"].tolist() == [10, 10, 11, 11]
    assert found["model"].tolist() == ["a", "b", "a", "b"]


def test_a_model_without_values_spoils_no_other():
    drawn = np.zeros((2, 2, 3), dtype=np.float32)
    drawn[:, 0] = np.nan
    one = audit.Chance(drawn[0], drawn[0], drawn[0], drawn)
    found = audit.null_scores(["a", "b"], {"biased": one, "debiased": one}, 1.0, 0).set_index("model")
    assert found.loc["a", "raw"].isna().all()
    assert (found.loc["b", "raw"] == 0).all()


def test_null_scores_are_a_mean_over_subjects():
    models = made.models(1)
    part = pd.DataFrame({"model": models["model"], "draw": 0, "raw": [0.1, 0.2], "calibrated": 0.0})
    found = audit.over_subjects([part, part.assign(raw=[0.3, 0.4])], models).set_index("modality")
    assert found.loc["vision", "raw"] == pytest.approx(0.2)
    assert audit.over_subjects([], models).empty


def regions_of(a, b, value, measure, params, estimator):
    rows = [(f"{a}/{x}", f"{b}/{y}", y) for x in ("V1", "4") for y in ("V1", "4")]
    table = pd.DataFrame(rows, columns=["source", "target", "region"])
    about = {"measure": measure, "params": params, "estimator": estimator, "null_sd": NULL_SD, "null_mean": 0.1}
    return filled(SCORES, table.assign(subject=b, value=value, **about))


def test_a_region_meets_only_itself_in_another_subject():
    pairs = pd.concat(
        [
            regions_of("s1", "s2", 0.8, "cka.rbf", "c=1 biased", "biased"),
            regions_of("s1", "s2", 0.5, "cka.rbf", "c=1 debiased", "debiased"),
        ]
    )
    linear = regions_of("s1", "s2", 0.4, "cka.linear", "linear debiased", "debiased")
    known = {"s1/V1": (0.8, ""), "s2/V1": (0.5, ""), "s1/4": (0.7, ""), "s2/4": (np.nan, "no_signal")}
    found = BETWEEN.check(audit.between(pairs, linear, known, ("s1", "s2"))).set_index("region")
    assert found.loc["V1", ["raw", "calibrated", "linear"]].tolist() == [0.8, 0.5, 0.4]
    assert found.loc["V1", "corrected"] == pytest.approx(1.0)
    assert found.loc["V1", "z"] == pytest.approx(0.5 / NULL_SD)
    assert np.isnan(found.loc["4", "corrected"])
    assert found["reason"].tolist() == ["", "no_signal"]
    limits = filled(CEILINGS, pd.DataFrame({"target": ["s1/V1", "s2/4", "s9/V1"]}))
    means = audit.with_others(limits, found.reset_index()).set_index("target")
    assert means.loc["s1/V1", "between"] == 0.5
    assert means.loc["s1/V1", "between_corrected"] == pytest.approx(1.0)
    assert np.isnan(means.loc["s2/4", "between_corrected"])
    assert np.isnan(means.loc["s9/V1", "between"])


def test_the_checks_keep_raw_beside_calibrated():
    for schema in (AUDIT, CHECKS, BETWEEN):
        assert {"raw", "floor", "calibrated", "z"} <= set(schema.columns)
