"""Inputs of a report, made from the made-up study and from the published points."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml

from homoplasy.datasets import fsaverage5, hcp_mmp1, published
from homoplasy.datasets.performance import curves
from homoplasy.report.atlas import pack
from homoplasy.report.cortex import Cortex
from homoplasy.report.figures import drawings
from homoplasy.report.inputs import Inputs, Source
from homoplasy.studies.convergence import claims, ledger, scales, trajectories
from homoplasy.studies.convergence.analysis import Choices, analyse
from homoplasy.studies.convergence.brain_score import with_bins
from homoplasy.studies.convergence.further import Around
from homoplasy.studies.convergence.readings import Reading
from homoplasy.studies.convergence.reanalysis import analyse_again
from homoplasy.studies.convergence.taxonomy import grow
from homoplasy.tables import HISTORY, LAGS, RANKS, SCALES
from tests.conftest import ROOT
from tests.report import known
from tests.studies.convergence import made

READING = Reading("relative", 1.0, "debiased", 0.05)
PRINTED = ROOT / "data/published"


def history(metric="accuracy"):
    steps = np.array([0, 1, 4, 16, 64, 256])
    rows = []
    for weights, delay in (("raw", 0), ("ema", 1)):
        rising = 1 / (1 + np.exp(4 + delay - np.log2(steps + 1)))
        for split, best in (("train", 0.7), ("held_out", 0.5)):
            value = 0.25 + best * rising if metric == "accuracy" else 60 - 50 * rising
            about = {"step": steps, "weights": weights, "seen": 32 * steps, "split": split, "metric": metric}
            rows.append(pd.DataFrame(about | {"value": value}))
    return HISTORY.check(pd.concat(rows, ignore_index=True))


def with_checkpoints(models):
    """Two of the vision models become checkpoints of a run."""
    rest = len(models) - 2
    about = {"run": ["glyphs"] * 2 + [""] * rest, "weights": ["raw"] * 2 + [""] * rest}
    return models.assign(**about, step=[0, 256] + [-1] * rest)


def changes():
    """Regions that change with the width of the kernel as they lie, calibrated and as released."""
    place = hcp_mmp1.anterior()
    rows = []
    for reading in ("calibrated", "released"):
        for modality in ("vision", "language"):
            for region, (_, voxels, ceiling, network) in made.PLACES.items():
                delta = place[region] / 1000
                row = dict.fromkeys((name for name, kind in SCALES.columns.items() if kind == "number"), 0.01)
                row |= {"delta": delta, "low": delta - 0.01, "high": delta + 0.01, "residual": delta / 2}
                row |= {"residual_low": delta / 2 - 0.01, "residual_high": delta / 2 + 0.01, "voxels": float(voxels)}
                about = {"reading": reading, "modality": modality, "region": region, "network": network}
                rows.append(about | row | {"anterior": place[region], "null_low": -0.01, "corrected": ceiling})
    return SCALES.check(pd.DataFrame(rows))


def delays():
    """Lags of a run in every version of its performance."""
    rows = []
    for number, transform in enumerate(trajectories.TRANSFORMS):
        row = dict.fromkeys((name for name, kind in LAGS.columns.items() if kind == "number"), 0.5)
        about = {"run": "glyphs", "modality": "vision", "weights": "raw", "benchmark": "held_out_accuracy"}
        lag = {"transform": transform, "lag": 1 + number / 10, "low": 0.6, "high": 1.6}
        rows.append(about | row | lag | {"points": 6, "units": 44, "note": ""})
    return LAGS.check(pd.DataFrame(rows))


def orders():
    """Models in nearly the same order by three kernels and another measure."""
    names = ["cka.rbf sigma=9 biased", "cka.rbf c=1 debiased", "cka.linear linear debiased", "mutual_knn k=20 cosine"]
    rows = [
        {"modality": modality, "of": "models", "a": one, "b": other, "n": 8, "low": 0.1, "high": 1.0}
        | {"rho": 1 - 0.2 * abs(names.index(one) - names.index(other))}
        for modality in ("vision", "language")
        for one in names
        for other in names
    ]
    return RANKS.check(pd.DataFrame(rows))


@pytest.fixture(scope="session")
def again():
    """The published points, analysed again with few draws."""
    points, printed = published.points(PRINTED), published.printed(PRINTED)
    return vars(analyse_again(points, printed, curves.mixnet(PRINTED / "mixnet.csv"), 100, 1))


@pytest.fixture(scope="session")
def cortex(tmp_path_factory):
    """The surface with the approximate areas."""
    return Cortex(*fsaverage5.read(tmp_path_factory.mktemp("no-labels")))


@pytest.fixture(scope="session")
def make(again, cortex):
    """Build the inputs from tables of scores, models and performance."""
    stated = claims.parse(yaml.safe_load((ROOT / "claims/convergence.yaml").read_text()), "convergence.yaml", 0.25)

    def build(scores, models, performance, regions=None, histories=None, *, whole=False):
        places = made.regions() if regions is None else regions
        around = Around(models, performance, scales.by_region(places, hcp_mmp1.anterior()))
        found = analyse(
            Choices(READING, 0.25, 8, "block", 6, 100, 1), scores, models, performance, around if whole else None
        )
        tree = grow(with_bins(scores, models, 8, "block"), models, READING, 8)
        grown = {"leaves": tree.leaves, "linkage": tree.linkage, "tree": tree.tree, "support": tree.support}
        study = {**found.tables, **grown}
        verdicts = ledger.verdicts(stated, ledger.Here({"points": again, "world": study}, True, "released"))
        return Inputs(
            title="A <made-up> world",
            about="Made up.",
            world="pocket",
            preset="calibrated",
            study=study,
            again=again,
            points=published.points(PRINTED),
            claims=ledger.plain(stated, verdicts),
            source=stated.source,
            regions=places,
            models=models,
            histories={"glyphs": history()} if histories is None else histories,
            atlas=pack(scores, ["c=1 debiased", "sigma=9 biased"]),
            cortex=cortex,
            settings={"stats": "stats:\n  depth: 6\n"},
            read=[Source("stats/model_scores.parquet", 1234, "0123456789abcdef" * 2)],
            versions={"homoplasy": "0.1.0"},
        )

    return build


@pytest.fixture(scope="session")
def inputs(make):
    models = with_checkpoints(made.models(8))
    truth = made.facts(models)
    lost = models.iloc[-1]["model"]
    models.loc[models["model"] == lost, "reason"] = "ran out of memory"
    scores = made.scores(models, truth)
    found = make(scores[scores["source"] != lost], models, made.performance(truth), whole=True)
    more = {"scales": changes(), "lags": delays(), "ranks": orders()}
    beside = {"audit": known.audit(found.study["model_scores"]), "certificates": known.certificates()}
    return replace(found, study={**found.study, **more}, multiverse=known.multiverse(), **beside)


@pytest.fixture(scope="session")
def bare(inputs):
    """The same where nothing was audited or certified."""
    return replace(inputs, audit={}, certificates=None, multiverse={})


@pytest.fixture(scope="session")
def drawn(inputs):
    """Every figure, drawn once."""
    return drawings(inputs)
