"""A run: its steps, its split, its average, and that a run that was interrupted ends as one that was not."""

import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from homoplasy.errors import BadData, BadRequest, WorkFailed
from homoplasy.training import loop
from tests.training import lessons
from tests.training.lessons import plan, run


@pytest.fixture(scope="module", autouse=True)
def _threads():
    """The number of threads that the stage sets, given back afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(loop.THREADS)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def lesson():
    return lessons.naming()


def same(one, two):
    """Whether two runs stand at the same place, to the last bit."""
    arrays, others = one.state().arrays, two.state().arrays
    return arrays.keys() == others.keys() and all(np.array_equal(arrays[name], others[name]) for name in arrays)


@given(st.integers(1, 10**6), st.integers(3, 40))
def test_checkpoints_go_from_the_untrained_network_to_the_last_step_at_equal_ratios(steps, count):
    found = loop.checkpoint_steps(steps, count)
    assert (found[0], found[-1]) == (0, steps)
    assert found == sorted(set(found))
    assert len(found) <= count
    ratio = steps ** (1 / (count - 2))
    assert all(later <= ratio * earlier + (1 + ratio) / 2 for earlier, later in pairwise(found[1:]))


@given(st.integers(2, 500), st.integers(0, 9))
def test_what_is_held_out_is_never_trained_on(size, seed):
    rows, held = loop.split(seed, size)
    assert held.size == max(1, round(0.1 * size))
    assert np.array_equal(np.sort(np.concatenate([rows, held])), np.arange(size))
    for step in (0, 7):
        assert set(loop.batch(plan(seed=seed), rows, step)) <= set(rows)


def test_an_epoch_takes_each_example_once_and_the_next_one_takes_them_in_another_order():
    rows = np.arange(5, 37)
    epochs = [np.concatenate([loop.batch(plan(), rows, 4 * epoch + place) for place in range(4)]) for epoch in (0, 1)]
    assert all(np.array_equal(np.sort(epoch), rows) for epoch in epochs)
    assert not np.array_equal(*epochs)
    assert len(loop.batch(plan(batch_size=99), rows, 0)) == 32


@pytest.mark.parametrize("make", [lessons.naming, lessons.continuing])
@pytest.mark.parametrize("optimiser", ["adamw", "sgd", "lamb", "adan"])
def test_an_interrupted_run_ends_as_one_that_was_not(make, optimiser, tmp_path):
    lesson, chosen = make(), plan(optimiser=optimiser)
    whole, stopped = run(chosen, lesson), run(chosen, lesson, until=4)
    arrays, facts = stopped.state()
    resumed = loop.Training(chosen, make())
    resumed.restore(loop.State(arrays, json.loads(json.dumps(facts))))
    assert (resumed.step, resumed.seen) == (4, stopped.seen)
    while resumed.step < chosen.steps:
        resumed.advance()
    assert same(resumed, whole)
    assert resumed.seen == whole.seen
    assert resumed.judge("ema") == whole.judge("ema")


def test_a_restored_state_is_not_shared_with_the_run(lesson):
    first = run(plan(), lesson, until=2)
    state = first.state()
    kept = {name: one.copy() for name, one in state.arrays.items()}
    again = loop.Training(plan(), lesson)
    again.restore(state)
    again.advance()
    first.advance()
    assert all(np.array_equal(state.arrays[name], kept[name]) for name in kept)
    assert same(first, again)


def test_a_run_is_not_changed_by_being_judged_or_by_what_others_draw(lesson):
    left = run(plan(), lesson)
    watched = loop.Training(plan(), lesson)
    while watched.step < 6:
        watched.judge("raw"), watched.judge("ema"), watched.weights(), torch.rand(3)
        watched.advance()
    assert same(left, watched)


@pytest.mark.parametrize(
    "changed",
    [
        {"learning_rate": 2e-3},
        {"weight_decay": 0.5},
        {"batch_size": 9},
        {"optimiser": "sgd"},
        {"schedule": "poly"},
        {"warm_up": 0.6},
        {"ema_decay": 0.1},
        {"steps": 7},
        {"seed": 5},
    ],
)
def test_every_part_of_the_plan_changes_the_outcome(lesson, changed):
    assert not same(run(plan(), lesson, until=5), run(plan(**changed), lesson, until=5))


def test_judging_fewer_examples_is_judging_others(lesson):
    few, more = ({one[:2]: one.value for one in run(plan(judged=n), lesson, until=1).judge("raw")} for n in (3, 9))
    assert few["held_out", "loss"] != more["held_out", "loss"]


def test_the_average_follows_by_its_formula(lesson):
    training = loop.Training(plan(ema_decay=0.3), lesson)
    expected = {name: one.astype(np.float64) for name, one in training.weights()["raw"].items()}
    for step in range(6):
        training.advance()
        d = min(0.3, (1 + step) / (10 + step))
        raw = training.weights()["raw"]
        expected = {name: d * one + (1 - d) * raw[name] for name, one in expected.items()}
    for name, one in training.weights()["ema"].items():
        np.testing.assert_allclose(one, expected[name], rtol=2e-5, atol=1e-6, err_msg=name)


def test_counters_are_copied_into_the_average_and_running_means_follow():
    training = run(plan(), lessons.naming(40, "test_resnet", {"channels": [8, 8, 8, 8]}), until=3)
    raw, average = training.weights().values()
    counters = [name for name in raw if name.endswith("num_batches_tracked")]
    assert counters
    assert all(raw[name] == average[name] == 3 for name in counters)
    means = next(name for name in raw if name.endswith("running_mean"))
    assert np.abs(average[means]).max() > 0
    assert not np.array_equal(raw[means], average[means])


def test_before_the_first_step_the_average_is_the_network(lesson):
    raw, average = loop.Training(plan(), lesson).weights().values()
    assert all(np.array_equal(raw[name], average[name]) for name in raw)


def test_the_rate_rises_and_falls():
    training = loop.Training(plan(steps=100, warm_up=0.1), lessons.naming(20))
    rates = []
    for step in range(101):
        training.schedule.step_update(step)
        rates.append(training.optimiser.param_groups[0]["lr"])
    assert rates[0] == pytest.approx(1e-4)
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(0, abs=1e-8)


def test_a_loss_that_is_no_number_says_what_to_do(lesson):
    training = run(plan(learning_rate=1e30, optimiser="sgd"), lesson, until=1)
    with pytest.raises(WorkFailed, match=r"the loss is (nan|inf) at step \d; lower train.learning_rate"):
        training.advance(), training.advance()


def test_names_that_timm_does_not_have_are_one_sentence(lesson):
    with pytest.raises(BadRequest, match=r"timm has no optimiser 'adamv'.* Nearest: 'adam"):
        loop.Training(plan(optimiser="adamv"), lesson)
    with pytest.raises(BadRequest, match="'plateau' is no schedule .* expected one of cosine, poly, tanh, constant"):
        loop.Training(plan(schedule="plateau"), lesson)


def test_an_optimiser_whose_memory_cannot_be_saved_is_one_sentence(lesson):
    training = run(plan(), lesson, until=1)
    next(iter(training.optimiser.state.values()))["history"] = {1, 2}
    with pytest.raises(BadRequest, match="the optimiser 'adamw' keeps a memory that cannot be saved"):
        training.state()


def test_one_example_is_too_few():
    with pytest.raises(BadData, match="expected two examples or more to learn from, found 1"):
        loop.Training(plan(), lessons.naming(1))
