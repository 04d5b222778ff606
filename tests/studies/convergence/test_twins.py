import numpy as np
import pandas as pd
import pytest

from homoplasy.studies.convergence import twins
from homoplasy.tables import AUDIT, CHECKS, MODELS, UNTRAINED


def models(*rows):
    table = pd.DataFrame(rows, columns=["model", "run", "step", "weights", "image_size"])
    about = {"modality": "vision", "family": "", "architecture": "", "parameters": 1.0, "layers": 1, "reason": ""}
    return MODELS.check(table.assign(**about))


KNOWN = models(
    ("checkpoint:vit/step-000000", "vit", 0, "raw", 0),
    ("checkpoint:vit/step-000000-ema", "vit", 0, "ema", 0),
    ("checkpoint:vit/step-000160", "vit", 160, "raw", 0),
    ("checkpoint:vit/step-000160-ema", "vit", 160, "ema", 0),
    ("checkpoint:lost/step-000160", "lost", 160, "raw", 0),
    ("timm:resnet50.a1_in1k", "", -1, "", 224),
    ("timm:resnet50.random-3", "", -1, "", 224),
    ("timm:vit_small.augreg", "", -1, "", 384),
    ("timm:vit_small.random-1", "", -1, "", 224),
    ("transformers:EleutherAI/pythia-70m@step1000", "", -1, "", 0),
    ("transformers:EleutherAI/pythia-70m@step0", "", -1, "", 0),
    ("transformers:Qwen/Qwen2.5-0.5B", "", -1, "", 0),
    ("planted:vision-03", "", -1, "", 0),
    ("pixels:cosine", "", -1, "", 0),
)


@pytest.mark.parametrize(
    ("model", "twin", "reason"),
    [
        ("checkpoint:vit/step-000160", "checkpoint:vit/step-000000", ""),
        ("checkpoint:vit/step-000160-ema", "checkpoint:vit/step-000000", ""),
        ("checkpoint:vit/step-000000", "", "it is itself untrained"),
        ("checkpoint:lost/step-000160", "", "no step 0 of run 'lost'"),
        ("timm:resnet50.a1_in1k", "timm:resnet50.random-3", ""),
        ("timm:resnet50.random-3", "", "it is itself untrained"),
        ("timm:vit_small.augreg", "", "'timm:vit_small.random-1' is not in the roster"),
        ("transformers:EleutherAI/pythia-70m@step1000", "transformers:EleutherAI/pythia-70m@step0", ""),
        ("transformers:EleutherAI/pythia-70m@step0", "", "it is itself untrained"),
        ("transformers:Qwen/Qwen2.5-0.5B", "", "no roster line offers one"),
        ("planted:vision-03", "", "there is no network"),
        ("pixels:cosine", "", "there is no network"),
    ],
)
def test_the_untrained_twin_of_a_model_or_why_it_has_none(model, twin, reason):
    found = twins.untrained(KNOWN, UNTRAINED.empty()).loc[model]
    assert found["twin"] == twin
    assert found["reason"].startswith(reason)
    assert bool(reason) == bool(found["reason"])


def test_a_twin_that_was_made_for_a_model_is_its_twin_or_says_why_it_is_none():
    rows = [
        ("timm:resnet50.a1_in1k", "timm:resnet50.a1_in1k.random-1", 4, ""),
        ("transformers:Qwen/Qwen2.5-0.5B", "transformers:Qwen/Qwen2.5-0.5B.random-1", 0, "no memory"),
    ]
    found = twins.untrained(KNOWN, UNTRAINED.check(pd.DataFrame(rows, columns=list(UNTRAINED.columns))))
    assert found.loc["timm:resnet50.a1_in1k"].tolist() == ["timm:resnet50.a1_in1k.random-1", ""]
    assert found.loc["transformers:Qwen/Qwen2.5-0.5B", "reason"] == "no memory"
    assert found.loc["checkpoint:vit/step-000160", "twin"] == "checkpoint:vit/step-000000"


def cell(source, layer, raw, calibrated, reason=""):
    about = {"source": source, "layer": layer, "depth": 0.75, "target": "subj01/V1", "region": "V1"}
    return about | {"subject": "subj01", "raw": raw, "calibrated": calibrated, "reason": reason}


def filled(schema, rows):
    empty = {"number": np.nan, "integer": 1, "text": ""}
    table = pd.DataFrame(rows).assign(measure="cka.rbf", kernel="c=1")
    return schema.check(table.assign(**{n: empty[k] for n, k in schema.columns.items() if n not in table.columns}))


def test_both_twins_stand_beside_the_model_in_its_own_cell():
    trained, start = "checkpoint:vit/step-000160", "checkpoint:vit/step-000000"
    checks = filled(
        CHECKS,
        [
            cell(trained, "blocks.3", 0.6, 0.4),
            cell(trained, "blocks.9", 0.6, 0.4),
            cell("pixels:cosine", "p", 0.3, 0.2),
        ],
    )
    scores = filled(AUDIT, [cell(trained, "blocks.3", 0.6, 0.4), cell(start, "blocks.3", 0.35, 0.05)])
    gaussian = filled(AUDIT, [cell(trained, "blocks.3", 0.3, 0.001), cell("pixels:cosine", "p", 0.1, 0.0)])
    found = twins.twins(checks, twins.untrained(KNOWN, UNTRAINED.empty()), scores, gaussian).set_index(
        ["source", "layer", "kind"]
    )
    assert len(found) == 6
    untrained = found.loc[trained, "blocks.3", "untrained"]
    assert untrained[["raw", "calibrated", "model_raw", "model_calibrated"]].tolist() == [0.35, 0.05, 0.6, 0.4]
    assert untrained["twin"] == start
    assert untrained["reason"] == ""
    assert found.loc[trained, "blocks.9", "untrained"]["reason"] == "the twin was not scored in this cell"
    assert found.loc[trained, "blocks.9", "gaussian"]["reason"] == "the layer has no numbers to imitate"
    assert found.loc["pixels:cosine", "p", "untrained"]["reason"] == "there is no network"
    assert found.loc["pixels:cosine", "p", "gaussian"]["raw"] == 0.1


def test_random_numbers_go_by_the_name_alone():
    one, other = (twins.random_numbers((5, 3), name, 1) for name in ("m blocks.0", "m blocks.1"))
    np.testing.assert_array_equal(one, twins.random_numbers((5, 3), "m blocks.0", 1))
    assert not np.allclose(one, other)
    assert not np.allclose(one, twins.random_numbers((5, 3), "m blocks.0", 2))
