"""Inputs of a report, made from the made-up study."""

import numpy as np
import pandas as pd
import pytest

from homoplasy.report.page import Inputs
from homoplasy.studies.convergence.analysis import Choices, analyse
from homoplasy.studies.convergence.brain_score import with_bins
from homoplasy.studies.convergence.readings import Reading
from homoplasy.studies.convergence.taxonomy import grow
from homoplasy.tables import HISTORY
from tests.studies.convergence import made

READING = Reading("relative", 1.0, "debiased", 0.05)


def history():
    steps = np.array([0, 1, 4, 16, 64, 256])
    rising = 1 / (1 + np.exp(4 - np.log2(steps + 1)))
    columns = {
        "step": steps,
        "loss": 2 - rising,
        "accuracy": 0.25 + 0.7 * rising,
        "held_out_accuracy": 0.25 + rising / 2,
    }
    return HISTORY.check(pd.DataFrame(columns))


def with_checkpoints(models):
    """Two of the vision models become checkpoints of a run."""
    return models.assign(run=["glyphs"] * 2 + [""] * (len(models) - 2), step=[0, 256] + [-1] * (len(models) - 2))


@pytest.fixture(scope="session")
def make():
    """Build the inputs from tables of scores, models and performance."""

    def build(scores, models, performance, regions=None, histories=None):
        found = analyse(Choices(READING, 0.25, 8, "block", 6, 100, 1), scores, models, performance)
        tree = grow(with_bins(scores, models, 8, "block"), models, READING, 8)
        return Inputs(
            title="A <made-up> world",
            about="Made up.",
            world="pocket",
            preset="calibrated",
            model_scores=found.model_scores,
            correlations=found.correlations,
            profiles=found.profiles,
            spreads=found.spreads,
            regions=made.regions() if regions is None else regions,
            models=models,
            leaves=tree.leaves,
            linkage=tree.linkage,
            tree=tree.tree,
            histories={"glyphs": history()} if histories is None else histories,
            settings={"stats": "stats:\n  depth: 6\n"},
        )

    return build


@pytest.fixture(scope="session")
def inputs(make):
    models = with_checkpoints(made.models(8))
    truth = made.facts(models)
    lost = models.iloc[-1]["model"]
    models.loc[models["model"] == lost, "reason"] = "ran out of memory"
    scores = made.scores(models, truth)
    return make(scores[scores["source"] != lost], models, made.performance(truth))
