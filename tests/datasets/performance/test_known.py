"""Results and models are joined by name and image size, and what was lost on the way is told."""

import pandas as pd
import pytest

from homoplasy.datasets.performance import known
from homoplasy.errors import BadData
from homoplasy.tables import MODELS

TIMM = """model,img_size,top1
resnet50.a1_in1k,288,81.2
resnet50.a1_in1k,224,80.4
resnet18.a1_in1k,288,73.2
"""
ARENA = "model_name,rating,category,leaderboard_publish_date\ngemma-2-9b-it-simpo,1279,overall,2025-01-30\n"


def models(**sizes):
    """Models by a short name, with the image size that they were given."""
    names = {
        "resnet50": "timm:resnet50.a1_in1k",
        "resnet18": "timm:resnet18.a1_in1k",
        "other": "timm:vgg11.tv_in1k",
        "gemma": "transformers:princeton-nlp/gemma-2-9b-it-SimPO@main",
    }
    rows = [{"model": names[name], "image_size": size} for name, size in sizes.items()]
    about = {"modality": "x", "family": "x", "architecture": "x", "parameters": 1.0, "layers": 1}
    return MODELS.check(pd.DataFrame(rows).assign(**about, run="", step=-1, weights="", reason=""))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "results-imagenet.csv").write_text(TIMM)
    (tmp_path / "text-arena_2025-01-30.csv").write_text(ARENA)
    return tmp_path


def results(folder, given):
    performance, joins = known.join(known.read(folder, "last"), given)
    return performance.set_index("model")["performance"].to_dict(), joins.set_index("file")


def test_a_result_counts_at_the_size_that_the_model_was_given(folder):
    assert results(folder, models(resnet50=224))[0] == {"timm:resnet50.a1_in1k": 80.4}
    assert results(folder, models(resnet50=288))[0] == {"timm:resnet50.a1_in1k": 81.2}
    found, joins = results(folder, models(resnet50=224, resnet18=224, other=224))
    assert found == {"timm:resnet50.a1_in1k": 80.4}
    assert joins.loc["results-imagenet.csv", ["models", "other_size", "not_listed"]].tolist() == [1, 1, 1]


def test_a_model_of_unknown_size_takes_a_result_only_where_there_is_one(folder):
    assert results(folder, models(resnet50=0, resnet18=0))[0] == {"timm:resnet18.a1_in1k": 73.2}


def test_names_of_the_arena_are_told_by_letters_and_digits(folder):
    found, joins = results(folder, models(gemma=0))
    assert found == {"transformers:princeton-nlp/gemma-2-9b-it-SimPO@main": 1279}
    assert joins.loc["text-arena_2025-01-30.csv", "models"] == 1


def test_checkpoints_take_no_result_of_the_grown_model(folder):
    given = models(resnet18=288).assign(step=3)
    assert not results(folder, given)[0]


def test_no_folder_is_no_result(tmp_path):
    performance, joins = known.join(known.read(tmp_path / "none", "last"), models(resnet50=224))
    assert performance.empty
    assert joins.empty
    assert known.trained(tmp_path / "none").empty


def test_files_of_unknown_kind_and_two_of_a_benchmark_are_refused(folder):
    (folder / "scores.csv").write_text("a\n1\n")
    with pytest.raises(BadData, match="scores.csv is no performance table that is known by its name"):
        known.read(folder, "last")
    (folder / "scores.csv").unlink()
    (folder / "an-arena.csv").write_text(ARENA)
    with pytest.raises(BadData, match="an-arena.csv and text-arena_2025-01-30.csv both give 'chatbot_arena'"):
        results(folder, models(gemma=0))
