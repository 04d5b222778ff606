import numpy as np
import pandas as pd
import pytest
from scipy.io import loadmat, savemat

from homoplasy.datasets import nsd
from homoplasy.datasets.nsd import design, keys
from homoplasy.datasets.nsd.facts import FACTS
from homoplasy.errors import BadData
from tests.datasets.nsd.miniature import SESSIONS, TRIALS


def test_every_index_becomes_0_based(kept):
    found = design.read(kept.root / keys.DESIGN)
    assert (found.sessions, found.trials_a_session) == (SESSIONS, TRIALS)
    np.testing.assert_array_equal(found.shown(2, 3), kept.pictures[1, kept.order[: 3 * TRIALS]])
    np.testing.assert_array_equal(found.shared, np.sort(kept.pictures[0, :10]))


def test_what_was_shown_passes_its_checks(kept):
    tree = nsd.open_tree(kept.root)
    for sessions in (1, SESSIONS):
        np.testing.assert_array_equal(tree.shown(1, sessions), kept.pictures[0, kept.order[: sessions * TRIALS]])


def alter(path, separator, change):
    frame = pd.read_csv(path, sep=separator)
    change(frame)
    frame.to_csv(path, sep=separator, index=False)


@pytest.mark.parametrize(("column", "step"), [("73KID", 1), ("10KID", 1), ("SESSION", 1)])
def test_a_response_that_disagrees_names_its_trial(tree, column, step):
    def change(frame):
        frame.loc[20, column] += step

    alter(tree.root / keys.responses(1), "\t", change)
    with pytest.raises(BadData, match=rf"subj01, trial 21 \(session 2, trial 3 of it\).*{column}"):
        nsd.open_tree(tree.root).shown(1, SESSIONS)


def test_a_response_beyond_the_sessions_read_is_not_looked_at(tree):
    def change(frame):
        frame.loc[20, "73KID"] += 1

    alter(tree.root / keys.responses(1), "\t", change)
    assert nsd.open_tree(tree.root).shown(1, 1).size == TRIALS


def test_too_few_responses_are_refused(tree):
    path = tree.root / keys.responses(1)
    path.write_text("\n".join(path.read_text().splitlines()[:30]))
    with pytest.raises(BadData, match="expected a row for each of 90 trials, found 29"):
        nsd.open_tree(tree.root).shown(1, SESSIONS)


def test_a_response_column_that_lacks_is_named(tree):
    path = tree.root / keys.responses(1)
    path.write_text(path.read_text().replace("73KID", "KID"))
    with pytest.raises(BadData, match="lacks the columns 73KID"):
        nsd.open_tree(tree.root).shown(1, SESSIONS)


@pytest.mark.parametrize("value", [0, 1])
def test_a_planned_trial_that_disagrees_is_named(tree, value):
    picture = tree.pictures[0, tree.order[4]]

    def change(frame):
        row = frame.index[frame["nsdId"] == picture][0]
        column = next(c for c in (f"subject1_rep{k}" for k in range(3)) if frame.loc[row, c] == 5)
        frame.loc[row, column] = value  # 0: no trial; 1: the place of another picture

    alter(tree.root / keys.STIMULUS_TABLE, ",", change)
    with pytest.raises(BadData, match=r"subj01, trial [15] \(session 1.*nsd_stim_info_merged\.csv says"):
        nsd.open_tree(tree.root).shown(1, SESSIONS)


def test_a_picture_that_is_shared_in_one_place_only_is_refused(tree):
    picture = tree.pictures[0, 15]

    def change(frame):
        frame["shared1000"] = frame["shared1000"] | (frame["nsdId"] == picture)

    alter(tree.root / keys.STIMULUS_TABLE, ",", change)
    with pytest.raises(BadData, match=f"picture {picture} is shared in one of"):
        nsd.open_tree(tree.root).shown(1, SESSIONS)


PARTS = "masterordering", "subjectim", "sharedix", "stimpattern"


def rewrite(root, **changes):
    plan = loadmat(root / keys.DESIGN)
    savemat(root / keys.DESIGN, {k: v for k, v in plan.items() if not k.startswith("__")} | changes)


def test_designs_whose_parts_do_not_fit_are_refused(tree):
    plan = loadmat(tree.root / keys.DESIGN)
    rewrite(tree.root, masterordering=plan["masterordering"][:, :-1])
    with pytest.raises(BadData, match="89 trials do not divide into 5 sessions"):
        design.read(tree.root / keys.DESIGN)
    rewrite(tree.root, masterordering=plan["masterordering"] - 1)
    with pytest.raises(BadData, match="outside the 30 columns"):
        design.read(tree.root / keys.DESIGN)
    for empty in PARTS:
        rewrite(tree.root, **({name: plan[name] for name in PARTS} | {empty: plan[empty][:0]}))
        with pytest.raises(BadData, match="found none of one of them"):
            design.read(tree.root / keys.DESIGN)
    rewrite(tree.root, **({name: plan[name] for name in PARTS} | {"sharedix": plan["sharedix"] + 1}))
    with pytest.raises(BadData, match="the first 10 columns of subjectim are not the pictures of sharedix"):
        design.read(tree.root / keys.DESIGN)


def test_damaged_design_files_are_one_sentence(tree):
    path = tree.root / keys.DESIGN
    plan = loadmat(path)
    for wrong in (plan["masterordering"] + 0.5, np.full(plan["masterordering"].shape, np.nan)):
        rewrite(tree.root, masterordering=wrong)
        with pytest.raises(BadData, match=r"MATLAB file of whole numbers \(masterordering has other numbers\)"):
            design.read(path)
    rewrite(tree.root, masterordering=plan["masterordering"])
    sound = path.read_bytes()
    path.write_bytes(sound[:124] + b"\x00\x02" + sound[126:])  # versions and byte orders that are no longer written
    with pytest.raises(BadData, match="is not a whole MATLAB file"):
        design.read(path)
    path.write_bytes(sound)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(BadData, match="is not a whole MATLAB file"):
        design.read(path)
    path.write_text("nothing")
    with pytest.raises(BadData, match="is not a whole MATLAB file"):
        design.read(path)
    savemat(path, {"sharedix": ["one"], "masterordering": ["x"], "subjectim": [[1]], "stimpattern": [[1]]})
    with pytest.raises(BadData, match="is not a whole MATLAB file of whole numbers"):
        design.read(path)
    savemat(path, {"sharedix": [1]})
    with pytest.raises(BadData, match="lacks the variables masterordering, subjectim, stimpattern"):
        design.read(path)


def full_size(order):
    """An experiment of NSD's size; every subject sees its own 9,000 and the shared 1,000."""
    pictures = np.tile(np.arange(10_000), (8, 1))
    return design.Design(order=order, pictures=pictures, shared=np.arange(1_000), sessions=40)


def first_release(rng):
    """An order in which 37 sessions show just what NSD's did: 141 own and 18 shared pictures wait for the end."""
    late = np.concatenate([np.arange(18), np.arange(1_000, 1_141)])
    waiting = np.repeat(late, 3)
    shared_left, own_left = 3_000 - 2_770 - 54, 2_250 - (3_000 - 2_770) - 423
    once_more = np.concatenate([np.arange(18, 18 + shared_left), np.arange(1_141, 1_141 + own_left)])
    tail = np.concatenate([waiting, once_more])
    times = np.full(10_000, 3)
    np.subtract.at(times, tail, 1)
    return np.concatenate([rng.permutation(np.repeat(np.arange(10_000), times)), rng.permutation(tail)])


def test_a_full_size_design_is_held_to_the_published_counts():
    good = full_size(first_release(np.random.default_rng(0)))
    assert good.full_size
    design.check_counts(good, 1, 40)
    design.check_counts(good, 1, 37)
    design.check_counts(good, 1, 12)  # nothing is published of twelve sessions
    other = full_size(np.random.default_rng(0).permutation(np.repeat(np.arange(10_000), 3)))
    design.check_counts(other, 1, 40)
    with pytest.raises(BadData, match=r"subj01, 37 sessions: NSD counts \(9841, 24980, 982, 2770\)"):
        design.check_counts(other, 1, 37)
    with pytest.raises(BadData, match=r"subj03, 32 sessions: NSD counts \(9411, 8355, 6234, 930\)"):
        design.check_counts(other, 3, 32)


def test_the_arithmetic_of_the_study():
    assert 37 * FACTS.trials_a_session == 24_980 + 2_770 == 27_750
    assert 40 * FACTS.trials_a_session == 3 * FACTS.images_a_subject
    images, own_trials, shared, shared_trials = FACTS.first_counts
    assert images - shared == 8_859
    assert own_trials + shared_trials == 37 * FACTS.trials_a_session
