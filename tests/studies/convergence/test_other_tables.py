"""Tidy tables of other models and brains: odd names, gaps, few of everything; against scipy and statsmodels."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from homoplasy.studies.convergence import (
    agreement,
    analysis,
    associations,
    correlations,
    effects,
    plots,
    regressions,
    scales,
    taxonomy,
)
from homoplasy.studies.convergence.brain_score import model_scores, with_bins
from homoplasy.studies.convergence.further import Around
from homoplasy.studies.convergence.readings import Reading
from homoplasy.tables import MODEL_SCORES, MODELS, PERFORMANCE, SCORES

READING = Reading("relative", 1.0, "debiased", 0.4)
REGIONS = ("4", "a/b", "näme", "10d", "R (x)")
BENCHMARK = "top-1 (%), clean"


def study(modalities=("vision",), subjects=("P 1", "β"), regions=REGIONS, count=9, depths=(3, 5, 12)):
    """Scores, models, performance and regions with gaps: of values, parameters, classes, performance, ceilings."""
    rng = np.random.default_rng(0)
    models, tested, scores = [], [("a stranger", BENCHMARK, 3.0)], []
    for modality in modalities:
        for i in range(count):
            name, layers = f"lab/{modality} model #{i} (v1.5)", depths[i % len(depths)]
            family = "" if i == 0 else f"family {i % 4}"
            parameters = np.nan if i == 2 else 1e6 * (i + 1)
            models.append((name, modality, family, ["CNN", "", "MLP & co"][i % 3], parameters, layers))
            tested += [(name, one, np.nan if i == 3 else rng.normal(i)) for one in (BENCHMARK, "x|y")]
            for layer in range(1, layers + 1):
                for subject in subjects:
                    for region in regions:
                        where = (name, f"b {layer}", layer / layers, f"{subject}/{region}", region, subject)
                        for params in ("c=1 debiased", "sigma=36 biased"):
                            lost = rng.random() < 0.05
                            value = np.nan if lost else rng.normal(0.05 * i, 0.1)
                            numbers = (50, value, 0.0, 0.03, np.nan, np.nan if region == "4" else 0.5)
                            units = (30 * (i + 1), 40, 0.5, 0.5, 3.0, 3.0, "constant_features" if lost else "")
                            scores.append((*where, "cka.rbf", params, params.split()[1], *numbers, *units))
    about = {"run": "", "step": -1, "weights": "", "image_size": 0, "reason": ""}
    names = ["model", "modality", "family", "architecture", "parameters", "layers"]
    known = [
        {"subject": subject, "region": region, "hemisphere": "both", "network": "" if region == "4" else "N"}
        | {"ncsnr": 0.3, "ceiling_z": 8.0, "reason": "", "voxels": 40}
        for subject in subjects
        for region in regions
    ]
    return (
        SCORES.check(pd.DataFrame(scores, columns=list(SCORES.columns)).astype({"value": float})),
        MODELS.check(pd.DataFrame(models, columns=names).assign(**about)),
        PERFORMANCE.check(pd.DataFrame(tested, columns=["model", "benchmark", "performance"])),
        pd.DataFrame(known),
    )


def analysed(depth=6, **sizes):
    scores, models, performance, regions = study(**sizes)
    around = Around(models, performance, scales.by_region(regions, {}), reliability=regions)
    return analysis.analyse(
        analysis.Choices(READING, 1.0, 8, "block", depth, 100, 1), scores, models, performance, around
    )


FEW = {
    "another modality": {"modalities": ("audio", "vision"), "count": 5, "depths": (4,)},
    "one subject and two regions": {"subjects": ("s",), "regions": ("V1", "V2"), "depths": (3, 4)},
    "one region": {"regions": ("V1",), "depths": (3, 4)},
    "one model": {"count": 1, "depths": (4,)},
    "two models of one layer": {"count": 2, "depths": (1,), "depth": 8},
    "no layer at the depth": {"count": 3, "depths": (3,), "depth": 1},
}


@pytest.mark.parametrize("sizes", FEW.values(), ids=FEW)
def test_few_of_anything_is_no_fault(sizes):
    found = analysed(**sizes)
    assert set(found.tables) >= {"model_scores", "associations", "region_sets", "embedding"}
    assert set(plots.plots(found)) == {"performance_language", "performance_vision", "depth", "width"}
    scores, models, *_ = study(**{name: value for name, value in sizes.items() if name != "depth"})
    grown = taxonomy.grow(with_bins(scores, models, 8, "block"), models, READING, 8, taxonomy.Resampling(20, 1))
    assert len(grown.leaves) == len(models)


@pytest.fixture(scope="module")
def odd():
    """Names that no code expects, and the same models in two modalities."""
    rng = np.random.default_rng(1)
    rows = []
    for modality in ("sound & vision", "language"):
        for i in range(30):
            width, level = 64.0 * (1 + i % 7), rng.normal()
            numbers = {"score": 0.2 + 0.02 * i + 0.05 * level, "width": width, "parameters": np.exp(rng.normal(16, 1))}
            performance = np.nan if i == 4 else level + 0.03 * i + rng.normal()
            rows.append({"model": f"ü/{i}", "modality": modality, "family": f"f {i % 9}", "architecture": "xy"[i % 2]})
            rows[-1] |= numbers | {"performance": performance}
    about = {"run": "", "step": -1, "weights": "", "reading": "mine", "params": "p", "chosen": "all", "reason": ""}
    about |= {"null_score": np.nan, "null_sd": np.nan, "benchmark": "a | b", "counted": True}
    return MODEL_SCORES.check(pd.DataFrame(rows).assign(**about))


def of(table, modality="language"):
    return table[table["modality"] == modality].dropna(subset=["performance"]).sort_values("model")


def test_correlations_are_those_of_scipy(odd):
    mine = of(odd)
    found = correlations.correlations(odd, 100, 1).query("modality == 'language' and given == ''")
    found = found.set_index(["x", "y", "method"])
    for method, theirs in (("pearson", stats.pearsonr), ("spearman", stats.spearmanr)):
        for x, y in (("score", "performance"), ("score", "width")):
            expected = theirs(mine[x], mine[y])
            assert found.loc[(x, y, method), "r"] == pytest.approx(expected.statistic)
            assert found.loc[(x, y, method), "p"] == pytest.approx(expected.pvalue)
        assert found.loc[("score", "performance", method), "n"] == 29


def test_partial_correlations_are_those_of_residuals_and_false_discovery_is_that_of_scipy(odd):
    mine, question = of(odd), associations.Question("score", "performance", ("log_width", "log_parameters"))
    several = pd.concat(
        [odd.assign(benchmark=f"b{i}", performance=odd["performance"] * (i != 1) + odd["score"] * i) for i in range(3)]
    )
    found = associations.ask(several, [question], 100, 1).query("modality == 'language' and method == 'pearson'")
    design = sm.add_constant(np.log(mine[["width", "parameters"]].to_numpy()))
    left = [sm.OLS(mine[name].to_numpy(), design).fit().resid for name in ("score", "performance")]
    assert found.set_index("benchmark").loc["b0", "r"] == pytest.approx(np.corrcoef(*left)[0, 1])
    t = found["r"] * np.sqrt((found["n"] - 4) / (1 - found["r"] ** 2))
    assert found["p"].to_numpy() == pytest.approx(2 * stats.t.sf(np.abs(t), found["n"] - 4))
    assert found["q"].to_numpy() == pytest.approx(stats.false_discovery_control(found["p"]))


def test_fits_are_those_of_statsmodels(odd):
    mine = of(odd)
    found = regressions.regressions(odd, 100, 1).query("modality == 'language'").set_index("form")
    n = len(mine)
    for form, x in (("linear", mine["score"]), ("log", np.log(mine["score"]))):
        theirs = sm.OLS(mine["performance"].to_numpy(), sm.add_constant(x.to_numpy())).fit()
        aic = n * np.log(theirs.ssr / n)
        row = found.loc[form]
        assert row[["intercept", "slope"]].tolist() == pytest.approx(theirs.params.tolist())
        assert row[["r2", "aic", "bic"]].tolist() == pytest.approx([theirs.rsquared, aic + 4, aic + 2 * np.log(n)])
        left_out = theirs.get_influence().resid_press
        total = ((mine["performance"] - mine["performance"].mean()) ** 2).sum()
        assert 1 - (left_out**2).sum() / total == pytest.approx(row["loo_r2"], abs=0.06)  # the mean is left out too


def test_effects_are_those_of_statsmodels(odd):
    mine = of(odd)
    z = {name: stats.zscore(values, ddof=1) for name, values in (("y", mine["score"]), ("p", mine["performance"]))}
    z["w"] = stats.zscore(np.log(mine["width"]), ddof=1)
    design = sm.add_constant(np.column_stack([z["p"], z["w"]]))
    groups = pd.factorize(mine["family"])[0]
    theirs = sm.OLS(np.asarray(z["y"]), design).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    found = effects.effects(odd, {}).query(
        "modality == 'language' and covariates == 'performance+log_width' and model == 'clustered'"
    )
    found = found.set_index("term").loc[["performance", "log_width"]]
    assert found["estimate"].tolist() == pytest.approx(theirs.params[1:].tolist())
    assert found["p"].tolist() == pytest.approx(theirs.pvalues[1:].tolist(), rel=1e-6)
    assert found["low"].tolist() == pytest.approx(theirs.conf_int()[1:, 0].tolist())


def test_a_name_in_two_modalities_is_two_models(odd):
    performance = PERFORMANCE.check(
        odd[odd["modality"] == "language"][["model", "performance"]].assign(benchmark="a | b").dropna()
    )
    per = associations.per_benchmark(odd, performance)
    assert per.groupby("modality").size().tolist() == [29, 29]
    assert len(associations.ask(odd, [associations.Question("score", "performance")], 100, 1)) == 4


def test_ranks_and_agreements_are_those_of_scipy():
    scores, models, performance, _ = study()
    binned = with_bins(scores, models, 8, "block")
    here = binned[(binned["bin"] == 6) & np.isfinite(binned["value"])]
    wide = (
        here.groupby(["source", "subject", "region", "params"])["value"].mean().groupby(level=[0, 3]).mean().unstack()
    )
    expected = stats.spearmanr(wide["c=1 debiased"], wide["sigma=36 biased"]).statistic
    found = agreement.ranks(binned, models["model"].tolist(), 6).query("of == 'models'").set_index(["a", "b"])["rho"]
    assert found["cka.rbf c=1 debiased", "cka.rbf sigma=36 biased"] == pytest.approx(expected)
    everything = Reading("relative", 1.0, "debiased", 1.0)
    table = model_scores(binned, models, performance, everything, 6).set_index("model")["score"].dropna()
    own = here[here["params"] == "c=1 debiased"].groupby(["source", "subject", "region"])["value"].mean()
    assert table.to_dict() == pytest.approx(own.groupby(level=[0, 1]).mean().groupby(level=0).mean().to_dict())
