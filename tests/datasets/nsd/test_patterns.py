from dataclasses import replace

import numpy as np
import pytest

from homoplasy.datasets import nsd
from homoplasy.datasets.nsd import _trials, patterns
from homoplasy.datasets.nsd.regions import Rules
from homoplasy.errors import BadData, WorkFailed
from tests.datasets.nsd import miniature
from tests.datasets.nsd.miniature import CORNER, NAMES, SESSIONS, SHAPE, TRIALS

RULES = Rules(
    session_zscore=True,
    unit="percent",
    min_voxels=5,
    voxel_unit=1.0,
    ncsnr_min=0.0,
    dropout_max=1.0,
    pairing_sd=5.0,
    networks="xcpd",
)


def found(tree, tmp_path, rules=RULES, subject=1, sessions=SESSIONS):
    """Everything that a subject gives, in memory."""
    with patterns.parcellate(nsd.open_tree(tree.root), subject, sessions, rules, tmp_path) as brain:
        arrays = dict(zip((one.name for one in brain.regions), brain.arrays("float32"), strict=True))
        return brain, {one.name: one for one in brain.regions}, arrays


def naive(tree, units, subject=1, sessions=SESSIONS, session_zscore=True, divisor=300.0):
    """Image by image, in float64: (images, voxels) and the list of repeats."""
    betas = tree.betas[subject].reshape(SESSIONS, -1, TRIALS)[:sessions, units].astype(float) / divisor
    if session_zscore:
        betas = (betas - betas.mean(-1, keepdims=True)) / betas.std(-1, ddof=1, keepdims=True)
    trials = np.concatenate(list(betas), axis=1).T
    ids = tree.pictures[subject - 1, tree.order[: sessions * TRIALS]]
    images = np.unique(ids)
    return (
        images,
        np.array([trials[ids == image].mean(axis=0) for image in images]),
        [trials[ids == image] for image in images],
    )


@pytest.mark.parametrize(
    ("change", "sessions"),
    [({}, SESSIONS), ({}, 4), ({"session_zscore": False}, SESSIONS), ({"session_zscore": False, "unit": "int16"}, 3)],
)
def test_patterns_are_the_means_over_repeats(kept, tmp_path, change, sessions):
    brain, regions, arrays = found(kept, tmp_path, replace(RULES, pairing_sd=0.0, **change), sessions=sessions)
    divisor = 1.0 if change.get("unit") == "int16" else 300.0
    assert list(regions) == ["V1", "MST", "4"]
    for name, (mean, *repeats) in arrays.items():
        images, expected, trials = naive(
            kept,
            regions[name].units,
            sessions=sessions,
            session_zscore=change.get("session_zscore", True),
            divisor=divisor,
        )
        np.testing.assert_array_equal(brain.images, images)
        np.testing.assert_allclose(mean, expected, rtol=2e-5, atol=2e-5)
        for k, once in enumerate(repeats):
            np.testing.assert_allclose(once, [rows[k] for rows in trials if len(rows) > k], rtol=2e-5, atol=2e-5)


def test_the_images_and_their_repeats(kept, tmp_path):
    brain, *_ = found(kept, tmp_path, replace(RULES, pairing_sd=0.0), sessions=4)
    ids = kept.pictures[0, kept.order[: 4 * TRIALS]]
    assert brain.shown.sum(axis=0).tolist() == [int((ids == image).sum()) for image in brain.images]
    assert set(brain.shared) == set(kept.pictures[0, :10]) & set(ids)
    assert (ids[brain.places[brain.shown]] == np.broadcast_to(brain.images, brain.places.shape)[brain.shown]).all()


def test_voxels_are_counted_once_and_left_comes_first(kept, tmp_path):
    brain, regions, _ = found(kept, tmp_path)
    table = brain.table.set_index(["region", "hemisphere"])
    lost = table[["voxels_constant", "voxels_dropout", "voxels_unreliable", "voxels"]].sum(axis=1)
    assert (lost == table["voxels_labelled"]).all()
    assert table.loc[("V1", "both"), ["voxels_constant", "voxels_dropout", "voxels"]].tolist() == [1, 1, 24]
    sides = table.drop(index="both", level="hemisphere").groupby("region", sort=False)["voxels"].sum()
    assert (sides == table.xs("both", level="hemisphere")["voxels"]).all()
    for name, region in regions.items():
        label, left = NAMES.index(name) + 1, region.facts["left"]
        signs = np.sign(kept.labels.ravel()[region.units])
        assert signs.tolist() == [1] * left + [-1] * (len(region.units) - left)
        assert (np.abs(kept.labels.ravel()[region.units]) == label).all()
    assert np.ravel_multi_index(CORNER, SHAPE) in regions["MST"].units


def test_small_regions_and_sides_carry_a_reason(kept, tmp_path):
    brain, regions, _ = found(kept, tmp_path)
    reasons = brain.table.set_index(["region", "hemisphere"])["reason"]
    assert reasons["FEF"].tolist() == ["too_few_voxels"] * 3
    assert reasons["4"].tolist() == ["", "", "too_few_voxels"]
    assert "FEF" not in regions
    assert regions["4"].facts["reason_right"] == "too_few_voxels"
    assert set(brain.table["region"]) == set(miniature.PLANTED)  # empty regions are absent


def test_the_fewest_voxels_are_scaled_and_rounded_up():
    assert [replace(RULES, min_voxels=m, voxel_unit=0.5).fewest for m in (1, 20, 21)] == [1, 10, 11]


def test_thresholds_remove_voxels(kept, tmp_path):
    brain, *_ = found(kept, tmp_path, replace(RULES, dropout_max=np.inf, ncsnr_min=0.5))
    table = brain.table.set_index(["region", "hemisphere"])
    assert (table["voxels_dropout"] == 0).all()
    assert (brain.voxels["ncsnr"] >= 0.5).all()
    assert table.loc[("4", "both"), "voxels_unreliable"] > 0
    assert table.loc[("4", "both"), "reason"] == "too_few_voxels"


def test_reliability_is_near_what_was_planted(kept, tmp_path):
    with_session, without = (
        found(kept, tmp_path, replace(RULES, session_zscore=each, pairing_sd=0.0))[0].table.set_index(
            ["region", "hemisphere"]
        )
        for each in (True, False)
    )
    for name in ("V1", "MST"):
        planted = miniature.PLANTED[name][2]
        row = with_session.loc[(name, "both")]
        assert row["ncsnr_shipped"] == pytest.approx(planted)
        assert row["ncsnr"] == pytest.approx(planted, rel=0.15)
        assert row["variance_ceiling"] == pytest.approx(100 * planted**2 / (planted**2 + 1 / 3), abs=8)
        assert without.loc[(name, "both"), "ncsnr"] < 0.9 * row["ncsnr"]


def test_a_region_of_noise_has_no_ceiling(kept, tmp_path):
    _, regions, _ = found(kept, tmp_path)
    assert regions["4"].facts["ceiling"] is None
    assert regions["4"].facts["ceiling_reason"] == "no_signal"
    assert 0.6 < regions["V1"].facts["ceiling"] < 1.0
    assert regions["V1"].facts["ceiling_left"] != regions["V1"].facts["ceiling_right"]


def test_networks_of_each_side(kept, tmp_path):
    _, regions, _ = found(kept, tmp_path)
    facts = regions["MST"].facts
    assert (facts["network_left"], facts["network_right"], facts["network"]) == ("Visual", "Dorsal Attention", "Visual")
    _, regions, _ = found(kept, tmp_path, replace(RULES, networks="study"))
    assert regions["MST"].facts["network_right"] == "Visual"


def swap(tree, order, subject=1):
    for session, source in enumerate(order):
        path = tree.root / nsd.keys.betas(subject, session + 1, miniature.VERSION, "hdf5")
        miniature.put_session(path, tree.betas[subject][source])


def test_sessions_in_a_wrong_order_trip_the_guard(tree, tmp_path):
    swap(tree, [1, 2, 3, 4, 0])
    with pytest.raises(
        BadData, match=r"pairing broken: repeats of a picture in V1 correlate by .* expected more than 5"
    ):
        found(tree, tmp_path)
    found(tree, tmp_path, replace(RULES, pairing_sd=0.0))


def test_a_guard_that_cannot_look_says_so(kept, tmp_path):
    with pytest.raises(WorkFailed, match=r"set parcellate\.pairing_sd to 0"):
        found(kept, tmp_path, replace(RULES, dropout_max=0.1))


def test_a_brain_without_a_voxel_left_has_rows_and_no_arrays(kept, tmp_path):
    brain, regions, arrays = found(kept, tmp_path, replace(RULES, dropout_max=0.1, pairing_sd=0.0))
    assert regions == arrays == {}
    assert (brain.table["reason"] == "too_few_voxels").all()
    assert len(brain.voxels) == 0


def test_a_missing_session_file_is_named(tree, tmp_path):
    (tree.root / nsd.keys.betas(1, 4, miniature.VERSION, "hdf5")).unlink()
    with pytest.raises(BadData, match=r"betas_session04\.hdf5 is missing"):
        found(tree, tmp_path)


def test_blocks_change_nothing(kept, tmp_path, monkeypatch):
    _, whole, arrays = found(kept, tmp_path)
    monkeypatch.setattr(patterns, "_BLOCK", 10)
    brain, regions, blocked = found(kept, tmp_path)
    assert len(brain.trials.blocks) == 3
    assert {name: one.facts for name, one in regions.items()} == {name: one.facts for name, one in whole.items()}
    for name, values in arrays.items():
        for one, other in zip(values, blocked[name], strict=True):
            np.testing.assert_array_equal(one, other)


def test_nothing_of_the_scratch_file_stays(kept, tmp_path):
    found(kept, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_trials_come_back_as_they_were_put(tmp_path):
    values = np.random.default_rng(0).standard_normal((6, 5)).astype(np.float32)
    with _trials.Trials(tmp_path, 6, _trials.blocks([slice(0, 2), slice(2, 3), slice(3, 5)], most=3)) as trials:
        assert trials.blocks == [slice(0, 3), slice(3, 5)]
        for first in (3, 0):
            for block in trials.blocks:
                trials.put(block, first, values[first : first + 3, block])
        for block in trials.blocks:
            np.testing.assert_array_equal(trials.get(block), values[:, block])


def test_a_full_disk_is_one_sentence(tmp_path):
    class Full:
        def seek(self, place): ...

        def write(self, data):
            raise OSError(28, "No space left on device")

        def close(self): ...

    with _trials.Trials(tmp_path, 6, [slice(0, 5)]) as trials:
        trials._file.close()
        trials._file = Full()
        with pytest.raises(WorkFailed, match=r"\(No space left on device\): they need 0.0 GB"):
            trials.put(slice(0, 5), 0, np.zeros((1, 5), dtype=np.float32))
