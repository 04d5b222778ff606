import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from homoplasy.errors import BadData, BadRequest
from homoplasy.maths import tiles
from homoplasy.measures import CKA
from homoplasy.representation import Representation
from homoplasy.scoring import Scorer, score, sweeps
from homoplasy.tables import SCORES
from tests.maths import golden

MEASURES = [CKA(kernel="linear"), CKA(sigma=(2.0, 4.0), debiased=False), CKA(sigma_relative=(0.5, 1.0))]


@pytest.fixture(autouse=True)
def _one_thread():
    """What memory holds depends on the number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def made(address, seed, n=20, d=6, ids=None, **facts):
    values = np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)
    return Representation(values, np.arange(n) if ids is None else ids, address, facts=facts)


def layers(count=5):
    return [made("m", i, d=5 + i, layer=f"layer{i}", depth=(i + 1) / count) for i in range(count)]


def regions(count=4):
    return [
        made(f"subj01/R{i}", 100 + i, d=3 + 4 * i, region=f"R{i}", subject="subj01", ceiling=0.5 if i else None)
        for i in range(count)
    ]


def same(left, right, tolerance=0.0):
    pd.testing.assert_frame_equal(left, right, rtol=0, atol=tolerance, check_exact=not tolerance)


def test_one_row_a_pair_and_a_parameter_in_order():
    table = score(layers(), regions(), MEASURES)
    assert len(table) == 5 * 4 * 5
    assert list(table.columns) == list(SCORES.columns)
    assert table["layer"].tolist() == [f"layer{i}" for i in range(5) for _ in range(20)]
    assert table["target"].tolist()[:10] == ["subj01/R0"] * 5 + ["subj01/R1"] * 5
    assert table["params"].tolist()[:5] == [
        "linear debiased",
        "sigma=2 biased",
        "sigma=4 biased",
        "c=0.5 debiased",
        "c=1 debiased",
    ]


def test_facts_fill_the_columns():
    table = score(layers(2), regions(2), [CKA()])
    row = table.iloc[3]
    assert (row["source"], row["layer"], row["depth"]) == ("m", "layer1", 1.0)
    assert (row["target"], row["region"], row["subject"], row["ceiling"]) == ("subj01/R1", "R1", "subj01", 0.5)
    assert (row["measure"], row["estimator"], row["n"]) == ("cka.rbf", "debiased", 20)
    assert (row["source_units"], row["target_units"]) == (6, 7)
    assert math.isnan(table.iloc[0]["ceiling"])


def test_what_has_no_facts_has_empty_columns():
    row = score([made("a", 1)], [made("b", 2)], [CKA()]).iloc[0]
    assert (row["layer"], row["region"], row["subject"], row["reason"]) == ("", "", "", "")
    assert math.isnan(row["depth"])


@pytest.mark.parametrize(("precision", "tolerance"), [("float64", 1e-12), ("float32", 1e-6), ("bfloat16", 1e-2)])
def test_values_are_those_of_the_measure(precision, tolerance):
    """In bfloat16 the error of so few stimuli is large; it falls as 1 / n."""
    table = score(layers(2), regions(2), MEASURES, precision=precision).set_index(["layer", "target", "params"])
    for source in layers(2):
        for target in regions(2):
            for measure in MEASURES:
                found = [table.loc[(source.facts["layer"], target.address, label), "value"] for label in measure.params]
                expected = measure(torch.from_numpy(source.values), torch.from_numpy(target.values))
                assert found == pytest.approx(expected.tolist(), abs=tolerance)


def test_precision_changes_the_numbers():
    rough, plain, exact = (
        score(layers(), regions(), MEASURES, precision=one)["value"] for one in ("bfloat16", "float32", "float64")
    )
    assert (rough - exact).abs().max() > (plain - exact).abs().max() > 0


def test_known_answers_through_the_table():
    ids = np.arange(12)
    x, y = (Representation(one.numpy(), ids, name) for one, name in zip(golden.raw(), "xy", strict=True))
    exactly = {"precision": "float64"}
    row = score([x], [y], [CKA(kernel="linear", debiased=False)], **exactly).iloc[0]
    assert (row["value"], row["null_mean"]) == pytest.approx((0.3997800058, 0.2938682043), abs=1e-8)
    row = score([x], [y], [CKA(kernel="linear")], **exactly).iloc[0]
    assert (row["value"], row["null_mean"]) == pytest.approx((0.1134601117, 0), abs=1e-8)
    assert row["null_sd"] == pytest.approx(math.sqrt(2 / (12 * 9)))


class Peak:
    """How far the memory of this process grew inside a block."""

    def __enter__(self):
        Path("/proc/self/clear_refs").write_text("5")  # Linux: the peak starts again from what is in use
        self._before = self._line("VmRSS")
        return self

    def __exit__(self, *error):
        self.grown = self._line("VmHWM") - self._before

    def _line(self, name):
        text = Path("/proc/self/status").read_text()
        return 1024 * int(re.search(rf"{name}:\s+(\d+) kB", text)[1])


def swept(monkeypatch):
    """How many sources and targets stood in each sweep."""
    sizes = []
    sweep = tiles.sweep
    monkeypatch.setattr(
        tiles, "sweep", lambda x, y, *rest, **more: (sizes.append((len(x), len(y))), sweep(x, y, *rest, **more))[1]
    )
    return sizes


@pytest.mark.parametrize("memory", ["0.3MB", "0.5MB"])
def test_no_bit_depends_on_the_blocks(memory, monkeypatch):
    sources, targets = layers(6), regions(4)
    whole = score(sources, targets, MEASURES)
    sizes = swept(monkeypatch)
    same(score(sources, targets, MEASURES, memory=memory), whole)
    assert len(sizes) > 1


def test_small_blocks_were_small(monkeypatch):
    sizes = swept(monkeypatch)
    score(layers(2), regions(3), MEASURES, memory="0.2MB")
    assert sizes == [(1, 1)] * 6


def test_no_bit_depends_on_the_other_sources_and_targets():
    """What the keyed store needs: a model's scores are the same whichever models were swept with it."""
    n = 150
    sources = [made("m", i, n=n, d=20 + i, layer=f"layer{i}") for i in range(18)]
    targets = [made(f"t{i}", 100 + i, n=n, d=5 + i) for i in range(50)]
    whole = score(sources, targets, MEASURES)
    for s, t in ((slice(0, 1), slice(None)), (slice(3, 17), slice(0, 40)), (slice(5, 7), slice(2, 3))):
        part = score(sources[s], targets[t], MEASURES)
        mine = whole["layer"].isin(part["layer"]) & whole["target"].isin(part["target"])
        same(part, whole[mine].reset_index(drop=True))


def test_no_bit_depends_on_the_number_of_threads():
    sources = [made("m", i, n=300, layer=f"{i}") for i in range(3)]
    targets = [made(f"t{i}", 9 + i, n=300) for i in range(2)]
    before = torch.get_num_threads()
    try:
        found = [(torch.set_num_threads(count), score(sources, targets, MEASURES))[1] for count in (1, 3)]
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    same(*found)


def test_sources_may_be_read_while_they_are_scored():
    read = []

    def reading():
        for one in layers(12):
            read.append(one.address)
            yield one

    parts = Scorer(regions(), MEASURES, memory="0.8MB").stream(reading())
    first = next(parts)
    assert len(read) < 12
    same(pd.concat([first, *parts], ignore_index=True), score(layers(12), regions(), MEASURES))


def test_memory_bounds_what_kernels_would_fill_many_times():
    """n = 1,500: the kernels of 40 objects at 5 widths are 3.6 GB in float64; 120 MB are allowed and kept."""
    score(layers(1), regions(1), MEASURES)  # compiled code takes memory too
    measures = [CKA(kernel="linear"), CKA(sigma=(2.0, 3.0, 4.0, 5.0))]
    sources = [made("m", i, n=1500, d=8, layer=f"{i}") for i in range(20)]
    targets = [made(f"t{i}", 50 + i, n=1500, d=8) for i in range(20)]
    tracer = Peak()
    with tracer:
        table = score(sources, targets, measures, memory="120MB")
    assert len(table) == 20 * 20 * 5
    assert tracer.grown < 120e6


def test_the_result_does_not_depend_on_the_order_of_either_side():
    key = ["layer", "target", "params"]
    turned = score(layers()[::-1], regions()[::-1], MEASURES[::-1]).sort_values(key, ignore_index=True)
    same(turned, score(layers(), regions(), MEASURES).sort_values(key, ignore_index=True))


def test_too_little_memory_says_how_much_is_needed():
    with pytest.raises(BadRequest, match=r"over 2000 stimuli needs 0.2 GB of memory, 0.1 GB are allowed"):
        score([made("a", 1, n=2000, d=2)], [made("b", 2, n=2000, d=2)], [CKA()], memory="100MB")


def test_rows_are_joined_by_stimulus_not_by_place():
    a, b = made("a", 1), made("b", 2)
    order = np.random.default_rng(3).permutation(20)
    turned = Representation(b.values[order], b.stimulus_ids[order], "b")
    same(score([a], [turned], MEASURES), score([a], [b], MEASURES))


def test_each_pair_is_scored_on_the_stimuli_it_shares():
    whole, half = made("whole", 1), made("half", 2, n=10, ids=np.arange(5, 15))
    target = made("t", 3)
    other = made("u", 4, n=12, ids=np.arange(3, 15))
    table = score([whole, half], [target, other], [CKA()])
    assert table["n"].tolist() == [20, 12, 10, 10]
    alone = score([half], [other], [CKA()])
    assert table["value"].iloc[3] == pytest.approx(alone["value"].iloc[0], abs=1e-14)


def test_a_scorer_meets_many_sources_and_prepares_its_targets_once(monkeypatch):
    prepared = []
    plain = sweeps.cloud
    monkeypatch.setattr(
        sweeps, "cloud", lambda values, *rest: (prepared.append(values.shape[1]), plain(values, *rest))[1]
    )
    scorer = Scorer(regions(), MEASURES)
    parts = pd.concat([scorer.score([one]) for one in layers()], ignore_index=True)
    assert sorted(prepared) == sorted([3, 7, 11, 15, 5, 6, 7, 8, 9])
    same(parts, score(layers(), regions(), MEASURES))


def test_measures_of_another_preparation_have_their_own_distances():
    both = [CKA(standardise="none", sigma=3.0), CKA(sigma=2.0)]
    table = score(layers(), regions(), both)
    for measure in both:
        alone = score(layers(), regions(), [measure])
        same(table[table["params"] == measure.params[0]].reset_index(drop=True), alone)


def test_hopeless_layers_are_rows_with_a_reason():
    bad = made("m", 1, layer="bad")
    bad.values[2, 2] = np.nan
    flat = Representation(np.ones((20, 3), np.float32), np.arange(20), "m", facts={"layer": "flat"})
    table = score([bad, flat, *layers(1)], regions(2), [CKA(), CKA(kernel="linear", debiased=False)])
    assert len(table) == 3 * 2 * 2
    assert table["reason"].tolist() == ["non_finite"] * 4 + ["constant_features"] * 4 + [""] * 4
    gone = table[table["reason"] != ""]
    assert gone[["value", "null_mean", "null_sd", "source_offdiagonal", "source_pr"]].isna().all(axis=None)
    assert table.loc[table["reason"] == "", ["value", "null_mean", "null_sd"]].notna().all(axis=None)


def test_unrelated_data_have_a_z_of_unit_spread_and_biased_ones_their_null_mean():
    sources = [made("m", seed, n=60, d=40, layer=str(seed)) for seed in range(30)]
    targets = [made(f"t{seed}", 1000 + seed, n=60, d=20) for seed in range(30)]
    table = score(sources, targets, [CKA(kernel="linear"), CKA(kernel="linear", debiased=False)])
    z = ((table["value"] - table["null_mean"]) / table["null_sd"]).groupby(table["estimator"])
    # 900 values of 30 x 30 objects: the mean is known to about 1/30, the spread to about 1/40
    assert z.mean().abs().max() < 0.15
    assert z.std().tolist() == pytest.approx([1, 1], abs=0.12)


def test_nothing_to_score_is_an_empty_table():
    assert len(score([], regions(), MEASURES)) == 0
    assert len(score(layers(), [], MEASURES)) == 0
    assert list(score([], [], []).columns) == list(SCORES.columns)


@pytest.mark.parametrize("dtype", [np.float16, np.int16, np.float64, ">f4"])
def test_other_number_types_are_taken(dtype):
    values = np.random.default_rng(1).integers(-50, 50, (20, 4))
    one = Representation(values.astype(dtype), np.arange(20), "a")
    plain = Representation(values.astype(np.float64), np.arange(20), "a")
    same(score([one], regions(1), [CKA()]), score([plain], regions(1), [CKA()]))


BAD = {
    "two sources are named 'a'": lambda: score([made("a", 1), made("a", 2)], regions(1), MEASURES),
    "two targets are named 'subj01/R0'": lambda: score(layers(1), [*regions(1), *regions(1)], MEASURES),
    "two measures are named 'cka.rbf c=1 debiased'": lambda: score(layers(1), regions(1), [CKA(), CKA()]),
    "memory is 'much'; expected an amount such as '2GB'": lambda: score(layers(1), regions(1), MEASURES, memory="much"),
    "precision is 'tf32', in which a CUDA device multiplies and 'cpu' does not; ask for 'float32' here": lambda: score(
        layers(1), regions(1), MEASURES, precision="tf32"
    ),
    "precision is 'float23'; it can be .*Nearest: 'float32'": lambda: score(
        layers(1), regions(1), MEASURES, precision="float23"
    ),
    "device is 'abacus', which is not here": lambda: score(layers(1), regions(1), MEASURES, device="abacus"),
}


@pytest.mark.parametrize(("sentence", "call"), BAD.items())
def test_a_request_that_cannot_be_is_one_sentence(sentence, call):
    with pytest.raises(BadRequest, match=sentence):
        call()


def test_too_few_stimuli_in_common():
    with pytest.raises(BadData, match="a and b have 3 stimuli in common; expected 4 or more"):
        score([made("a", 1, n=3)], [made("b", 2)], [CKA()])
    with pytest.raises(BadData, match="share no stimulus"):
        score([made("a", 1, ids=np.arange(50, 70))], [made("b", 2)], [CKA()])


def test_words_are_not_numbers():
    words = Representation(np.array([["a", "b"]] * 20), np.arange(20), "w")
    with pytest.raises(BadData, match="w: expected numbers, found values of type <U1"):
        score([words], regions(1), [CKA()])
