import numpy as np
import pytest

from homoplasy.datasets.pocket import design, sizes


@pytest.fixture(scope="module")
def plan():
    return design.draw(11)


def test_every_image_is_shown_three_times_in_720_trials(plan):
    ids, counts = np.unique(plan.ordering, return_counts=True)
    assert plan.ordering.shape == (720,)
    assert ids.tolist() == list(range(1, 241))
    assert set(counts) == {3}
    assert (np.diff(plan.ordering) != 0).all()


def test_nine_sessions_show_every_image_one_to_three_times(plan):
    _, counts = np.unique(plan.ordering[: 9 * 72], return_counts=True)
    assert counts.sum() == 648
    assert counts.size == 240
    assert set(counts) == {1, 2, 3}


def test_forty_pictures_are_shared_and_the_others_are_seen_by_one_subject(plan):
    assert plan.pictures.shape == (8, 240)
    assert (plan.pictures[:, :40] == plan.shared).all()
    assert (np.diff(plan.shared) > 0).all()
    own = plan.pictures[:, 40:].ravel()
    assert np.unique(np.concatenate([own, plan.shared])).tolist() == list(range(1, sizes.PICTURES + 1))
    assert own.size + plan.shared.size == sizes.PICTURES


def test_the_stimulus_columns_say_the_same_as_the_trial_order(plan):
    columns = design.stimulus_columns(plan)
    for subject in (1, 8):
        for trial in (1, 72, 73, 720):
            picture = plan.pictures[subject - 1, plan.ordering[trial - 1] - 1] - 1
            assert trial in [columns[f"subject{subject}_rep{r}"][picture] for r in range(3)]
        assert columns[f"subject{subject}"].sum() == 240
        assert (columns[f"subject{subject}_rep0"] > 0).sum() == 240


def test_six_pictures_a_run(plan):
    assert plan.pattern.shape == (10, 12, 8)
    assert (plan.pattern.sum(axis=2) == 6).all()


def test_the_counts_of_distinct_images_grow_to_all_of_them(plan):
    seen = plan.seen()
    assert seen.shape == (3, 10)
    assert seen[:, -1].tolist() == [240, 240, 240]
    assert (np.diff(seen, axis=1) >= 0).all()
    assert seen[0, 0] == np.unique(plan.ordering[:72]).size


def test_behaviour_numbers_its_trials_as_the_design_does(plan):
    rows = design.responses(plan, 5, np.random.default_rng(0))
    assert len(rows) == 720
    assert (rows["73KID"].to_numpy() == plan.pictures[4][plan.ordering - 1]).all()
    assert (rows["10KID"].to_numpy() == plan.ordering).all()
    assert rows[["SESSION", "RUN", "TRIAL"]].iloc[[0, 6, 72, 719]].to_numpy().tolist() == [
        [1, 1, 1],
        [1, 2, 1],
        [2, 1, 1],
        [10, 12, 6],
    ]
    assert rows["ISOLD"].sum() == 480


def test_one_trial_is_misread(plan):
    rows = design.responses(plan, 1, np.random.default_rng(0))
    true = rows["73KID"].to_numpy().copy()
    done = design.misread(rows, np.random.default_rng(1))
    wrong = np.flatnonzero(rows["73KID"].to_numpy() != true)
    assert wrong.tolist() == [done["trial"] - 1]
    assert done["trial"] <= 72
    assert (rows["73KID"][wrong[0]], true[wrong[0]]) == (done["written"], done["true"])
