"""The tables behind `dvc plots`: tidy, without gaps, and of the same names and columns in every world."""

import pandas as pd
import pytest
import yaml

from homoplasy.studies.convergence import analysis, plots, scales
from homoplasy.studies.convergence.further import Around
from homoplasy.studies.convergence.readings import Reading
from tests.conftest import ROOT
from tests.studies.convergence import made

CHOICES = analysis.Choices(Reading("relative", 1.0, "debiased", 0.05), 0.25, 8, "block", 6, 100, 1)


@pytest.fixture(scope="module")
def found(study):
    models, _, scores, performance = study
    around = Around(models, performance, scales.by_region(made.regions(), {}))
    return analysis.analyse(CHOICES, scores, models, performance, around)


def test_what_is_drawn_is_what_the_tables_say(found):
    drawn = plots.plots(found)
    vision = drawn["performance_vision"].set_index("model")
    own = found.model_scores.query("reading == 'calibrated' and modality == 'vision'").set_index("model")
    pd.testing.assert_series_equal(vision["score"], own["score"].sort_index())
    assert drawn["depth"]["bin"].tolist() == list(range(1, 9))
    assert drawn["width"]["width"].tolist() == [1.0]
    level = found.more["facts"].query("fact == 'mean_score' and reading == 'c=1 debiased' and modality == 'vision'")
    assert drawn["width"]["vision"].tolist() == level["value"].tolist()
    assert not any(table.isna().any(axis=None) for table in drawn.values())


def test_every_plot_of_the_pipeline_asks_for_columns_that_there_are(found, study):
    drawn = plots.plots(found)
    for definition in yaml.safe_load((ROOT / "dvc.yaml").read_text())["plots"]:
        ((_, about),) = definition.items()
        ((path, columns),) = about["y"].items()
        table = drawn[path.removeprefix("data/tables/convergence/plots/").removesuffix(".csv")]
        assert {about["x"], *([columns] if isinstance(columns, str) else columns)} <= set(table.columns)


def test_without_regions_the_tables_are_empty_and_the_same(study, found):
    models, _, scores, performance = study
    bare = plots.plots(analysis.analyse(CHOICES, scores, models, performance))
    whole = plots.plots(found)
    assert {name: list(one.columns) for name, one in bare.items()} == {
        name: list(one.columns) for name, one in whole.items()
    }
    assert bare["depth"].empty
    biased = scores[scores["params"] == "sigma=9 biased"]
    printed = plots.plots(analysis.analyse(CHOICES, biased, models, performance))["performance_language"]
    assert len(printed) == 12  # the released reading stands in where it is the only one
