"""Every adapter on small files in the real layout, and its refusals."""

import json

import pandas as pd
import pytest

from homoplasy.datasets.performance import arena, curves, imagenet, leaderboard
from homoplasy.errors import BadData
from tests.conftest import ROOT

TIMM = """model,img_size,top1,top1_err,top5,top5_err,param_count,crop_pct,interpolation
eva_giant_patch14_560.m30m_ft_in22k_in1k,560,89.790,10.210,98.990,1.010,"1,014.45",1.000,bicubic
resnet50.a1_in1k,288,81.214,18.786,95.102,4.898,25.56,1.000,bicubic
resnet50.a1_in1k,224,80.370,19.630,94.602,5.398,25.56,0.950,bicubic
"""
OLDER = """model,top1,top1_err,top5,top5_err,param_count,img_size,crop_pct,interpolation
resnet50.a1_in1k,81.214,18.786,95.102,4.898,25.56,288,1.000,bicubic
"""
CONTENTS = (
    "eval_name,Precision,fullname,Model sha,Average ⬆️,#Params (B),Chat Template,IFEval Raw,IFEval,BBH,MATH Lvl 5,GPQA,"
    "MUSR,MMLU-PRO,Submission Date\n"
)


def contents(*lines):
    rows = [
        f"x,{precision},a/b,0123,{average},0.5,{template},0.3,31.5,8.1,0.0,-,1.0,7.9,{date}"
        for precision, template, date, average in lines
    ]
    return CONTENTS + "\n".join(rows) + "\n"


def lines(found):
    return {tuple(row) for row in found.rows.itertuples(index=False)}


@pytest.fixture
def put(tmp_path):
    def written(name, text):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return written


def test_the_results_of_timm_are_read_by_name_in_either_order_of_columns(put):
    found = imagenet.read(put("results-imagenet.csv", TIMM))
    assert lines(found) == {
        ("timm:eva_giant_patch14_560.m30m_ft_in22k_in1k", 560, "imagenet_top1", 89.79),
        ("timm:resnet50.a1_in1k", 288, "imagenet_top1", 81.214),
        ("timm:resnet50.a1_in1k", 224, "imagenet_top1", 80.37),
    }
    assert (found.lines, found.duplicates) == (3, 0)
    older = imagenet.read(put("results-imagenet-r.csv", OLDER))
    assert lines(older) == {("timm:resnet50.a1_in1k", 288, "imagenet_r_top1", 81.214)}


def test_equal_lines_are_one_and_others_are_refused(put):
    twice = TIMM + TIMM.splitlines()[2] + "\n"
    assert imagenet.read(put("results-sketch.csv", twice)).duplicates == 1
    other = TIMM + TIMM.splitlines()[2].replace("81.214", "82.0") + "\n"
    with pytest.raises(BadData, match="two results for timm:resnet50.a1_in1k at 288 pixels"):
        imagenet.read(put("results-sketch.csv", other))


def test_the_real_results_are_whole(reference):
    paths = sorted((reference / "timm").glob("results-*.csv"))
    assert len(paths) == 8
    for path in paths:
        found = imagenet.read(path)
        assert (found.lines, found.duplicates, found.rows["model"].nunique()) == (1556, 0, 1266)


LATE, EARLY = "2024-08-01", "2024-06-01"


@pytest.mark.parametrize(
    ("given", "preferred", "last"),
    [
        ([("float16", "True", EARLY, 10.11), ("bfloat16", "True", LATE, 8.14)], 8.14, 8.14),
        ([("bfloat16", "True", LATE, 8.14), ("float16", "True", EARLY, 10.11)], 8.14, 10.11),
        ([("bfloat16", "True", LATE, 1.0), ("bfloat16", "False", EARLY, 2.0)], 1.0, 2.0),
        ([("bfloat16", "True", LATE, 1.0), ("bfloat16", "True", EARLY, 2.0)], 2.0, 2.0),
        ([("bfloat16", "True", EARLY, 1.0), ("bfloat16", "True", EARLY, 2.0)], 1.0, 2.0),
    ],
)
def test_two_submissions_of_a_model_become_one_by_the_rule(put, given, preferred, last):
    path = put("leaderboard2.csv", contents(*given))
    for rule, expected in (("preferred", preferred), ("last", last)):
        found = leaderboard.read(path, rule)
        values = found.rows.set_index("benchmark")["performance"]
        assert values["leaderboard2_avg"] == expected
        assert (values["ifeval"], values["math_lvl5"]) == (31.5, 0.0)
        assert "gpqa" not in values  # the file has none
        assert (found.lines, found.duplicates) == (2, 1)
        assert found.rule
    assert set(found.rows["model"]) == {"transformers:a/b"}


def test_the_arena_is_read_on_its_newest_day_by_plain_names(put):
    path = put(
        "text-arena.csv",
        "model_name,organization,rating,rating_lower,rating_upper,vote_count,rank,category,leaderboard_publish_date\n"
        "qwen2.5-72b-instruct,Alibaba,1300.5,1,2,9,1,overall,2025-01-30\n"
        "qwen2.5-72b-instruct,Alibaba,1290.5,1,2,9,1,overall,2024-12-30\n"
        "qwen2.5-72b-instruct,Alibaba,1200.5,1,2,9,1,coding,2025-01-30\n"
        "a-1,X,1000,1,2,9,1,overall,2025-01-30\n"
        "a1,X,1001,1,2,9,1,overall,2025-01-30\n",
    )
    found = arena.read(path)
    assert lines(found) == {("arena:qwen2572binstruct", 0, "chatbot_arena", 1300.5)}
    assert "2025-01-30" in found.rule
    assert found.duplicates == 4


def evaluation(lambada=0.25):
    return json.dumps(
        {"results": {"lambada_openai": {"acc": lambada, "ppl": 30.1}, "piqa": {"acc": 0.6, "acc_norm": 0.61}}}
    )


def test_evaluations_along_training_are_read_by_run_and_step(put, tmp_path):
    put("pythia-v1/pythia-70m-deduped/zero-shot/70m-deduped_step512.json", evaluation())
    put("pythia-v1/pythia-70m-deduped/five-shot/70m-deduped-5shot_step512.json", evaluation(0.9))
    put("pythia-v1/pythia-1b-bf16/zero-shot/1b-bf16-5shot_step128.json", evaluation())
    found = curves.pythia(tmp_path)
    told = {(row.run, row.step, row.quantity, row.value) for row in found.itertuples()}
    assert told == {
        ("EleutherAI/pythia-70m-deduped", 512, "lambada_openai.acc", 0.25),
        ("EleutherAI/pythia-70m-deduped", 512, "piqa.acc", 0.6),
        ("EleutherAI/pythia-1b", 128, "lambada_openai.acc", 0.25),
        ("EleutherAI/pythia-1b", 128, "piqa.acc", 0.6),
    }
    assert curves.pythia(tmp_path / "none").empty


def test_the_real_evaluations_are_whole(reference):
    found = curves.pythia(reference / "pythia")
    assert found.groupby("run")["step"].nunique().to_dict() == {
        f"EleutherAI/pythia-{size}": 27 for size in ("70m", "160m", "410m", "1b", "1.4b", "2.8b")
    }
    assert set(found["quantity"]) >= {"lambada_openai.acc", "piqa.acc"}
    early = found[(found["quantity"] == "lambada_openai.acc") & (found["step"] <= 512)]
    assert early["value"].max() < 0.01


def test_the_accuracies_of_mixnet_are_curves():
    found = curves.mixnet(ROOT / "data" / "published" / "mixnet.csv")
    assert len(found) == 74 * 2
    assert set(found["weights"]) == {"raw", "ema"}
    row = found.set_index(["run", "weights", "quantity", "step"]).loc[("timm:mixnet_s", "raw", "imagenet_top1", 2)]
    assert row["value"] == pytest.approx(28.216)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("results-imagenet.csv", "model,top1\na,80\n", "lacks the column 'img_size' of a table of timm's results"),
        ("results-imagenet.csv", "model,img_size,top1\na,224,most\n", "line 2: 'top1' is 'most'; expected a number"),
        ("results-imagenet.csv", "model,img_size,top1\na,224,80\nb,224,801\n", "line 3: 'top1' is .*801"),
        ("results-imagenet.csv", "", "is not a table"),
        ("results-imagenet.csv", 'model\n"a', "is not a table|lacks the column"),
        ("leaderboard2.csv", "fullname,Precision\na/b,float16\n", "lacks the column 'Chat Template'"),
        ("arena.csv", "key,Model,MT-bench (score)\na,A,8.5\n", "lacks the column 'model_name' of a dated table"),
        (
            "arena.csv",
            "model_name,rating,category,leaderboard_publish_date\na,1000,coding,2025-01-30\n",
            "no line of the category 'overall'",
        ),
        (
            "arena.csv",
            "model_name,rating,category,leaderboard_publish_date\na,1000,overall,soon\n",
            "the day of a rating is 'soon'",
        ),
    ],
)
def test_a_bad_table_is_one_sentence(put, name, text, words):
    path = put(name, text)
    readers = {"r": imagenet.read, "l": lambda path: leaderboard.read(path, "last"), "a": arena.read}
    with pytest.raises(BadData, match=words):
        readers[name[0]](path)


def test_a_missing_or_damaged_file_is_one_sentence(tmp_path):
    with pytest.raises(BadData, match="is missing; expected a table of timm's results"):
        imagenet.read(tmp_path / "results-imagenet.csv")
    (tmp_path / "leaderboard2.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(BadData, match="is not a table"):
        leaderboard.read(tmp_path / "leaderboard2.parquet", "last")


def test_a_leaderboard_may_be_parquet(put, tmp_path):
    path = put("leaderboard2.csv", contents(("bfloat16", "True", EARLY, 8.14)))
    pd.read_csv(path, na_values="-").to_parquet(tmp_path / "leaderboard2.parquet")
    found = leaderboard.read(tmp_path / "leaderboard2.parquet", "last")
    assert found.rows.set_index("benchmark")["performance"]["leaderboard2_avg"] == 8.14


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("pythia-70m/zero-shot/70m_step3.json", "{", "is not an evaluation of lm-eval"),
        ("pythia-70m/zero-shot/70m_step3.json", '{"results": {"piqa": {}}}', "is not an evaluation of lm-eval"),
        ("pythia-70m/zero-shot/70m_stepx.json", "{}", "expected pythia-<size>/zero-shot"),
        ("other/70m_step3.json", "{}", "expected pythia-<size>/zero-shot"),
    ],
)
def test_a_bad_evaluation_is_one_sentence(put, tmp_path, name, text, words):
    put(name, text)
    with pytest.raises(BadData, match=words):
        curves.pythia(tmp_path)


def test_weights_of_another_kind_are_refused(put):
    path = put("mixnet.csv", "model,epoch,averaged_weights,imagenet_top1,imagenet_top5\ntimm:mixnet_s,0,2,1,2\n")
    with pytest.raises(BadData, match="averaged_weights is 2; expected 0"):
        curves.mixnet(path)
