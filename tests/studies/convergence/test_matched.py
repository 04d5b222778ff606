import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from homoplasy.maths import ceilings, subsets
from homoplasy.studies.convergence import matched
from homoplasy.tables import AUDIT, CEILINGS, MATCHED, MODELS

N = 240
SHOWN = torch.ones(3, N, dtype=torch.bool)


def unit_columns(x):
    return (x - x.mean(0)) / x.std(0)


def latents(rng):
    """Twelve visual and twelve semantic latents, sd_k ~ k^(-1/2), mean square 1."""
    sd = np.arange(1, 13) ** -0.5
    return (rng.standard_normal((2, N, 12)) * sd / np.sqrt((sd**2).mean())).astype(np.float64)


def region(rng, v, s, place, voxels, ncsnr):
    """Repeats of a region at a place of the hierarchy: its signal times ncsnr, and noise of sd 1."""
    visual, semantic = (unit_columns(one @ rng.standard_normal((12, voxels))) for one in (v, s))
    signal = unit_columns(np.sqrt(1 - place) * visual + np.sqrt(place) * semantic)
    repeats = ncsnr * signal + rng.standard_normal((3, N, voxels))
    return signal, torch.from_numpy(repeats / np.sqrt(1 + ncsnr**2))


def cka(x, y):
    h = ceilings.linear_hsic
    return (h(x, y) / (h(x, x) * h(y, y)).sqrt()).item()


def drawn(x, repeats, take, count=20):
    at = np.stack(matched.draws(count, repeats.shape[-1], "subj01/V1", 1, take))
    mean = repeats[..., at].mean(0)
    centred = np.array([[cka(x, mean[:, d]) for d in range(count)]])
    shared, whole = subsets.reliability_of_subsets(repeats[..., at], SHOWN, mean)
    return matched.Drawn({}, centred, shared, whole.numpy())


def test_v2_equals_v1_once_both_give_as_many_voxels_and_noise_is_taken_away():
    """Linear kernels, a shallow layer; V1 has 384 voxels of ncsnr .55, V2 24 of .50 with nearly the same content."""
    gaps, left = [], []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        v, s = latents(rng)
        x = torch.from_numpy(unit_columns(v @ rng.standard_normal((12, 256)) + 0.3 * rng.standard_normal((N, 256))))
        truth, first = region(rng, v, s, 0.0, 384, 0.55)
        _, second = region(rng, v, s, 0.05, 24, 0.5)
        raw = [cka(x, one.mean(0)) for one in (first, second)]
        limits = [ceilings.reliability(one, SHOWN, one.mean(0)).ceiling.value for one in (first, second)]
        corrected = [ceilings.corrected(*both) for both in zip(raw, limits, strict=True)]
        assert raw[0] - raw[1] > 0.2
        assert corrected[0] == pytest.approx(0.97, abs=0.03)
        assert corrected[0] == pytest.approx(cka(x, torch.from_numpy(truth)), abs=0.03)
        gaps.append(corrected[1])
        left.append(drawn(x, first, 24).corrected.item() - corrected[1])
    assert np.mean(gaps) == pytest.approx(0.86, abs=0.06)
    assert abs(np.mean(left)) < 0.08


def test_few_noisy_voxels_are_corrected_as_one_region_not_draw_by_draw():
    """Eight of 120 weak voxels share too little now and then; keeping the draws that share more would bias the rest."""
    pooled, alone = [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        v, s = latents(rng)
        x = torch.from_numpy(unit_columns(v))
        truth, repeats = region(rng, v, s, 0.0, 120, 0.25)
        found = drawn(x, repeats, 8)
        places = matched.draws(20, 120, "subj01/V1", 1, 8)
        free = np.mean([cka(x, torch.from_numpy(truth[:, at])) for at in places])
        one_by_one = [ceilings.reliability(repeats[..., at], SHOWN, repeats[..., at].mean(0)).ceiling for at in places]
        kept = [c / one.value for c, one in zip(found.centred[0], one_by_one, strict=True) if not one.reason]
        assert 0 < len(kept) < 20
        pooled.append(found.corrected.item() - free)
        alone.append(np.mean(kept) - free)
    assert np.isfinite(pooled).all()
    assert abs(np.mean(pooled)) < 0.05  # a ratio of noisy numbers: its own bias is of the second order
    assert np.mean(alone) < 2 * np.mean(pooled) - 0.03


def test_noise_alone_is_never_corrected():
    rng = np.random.default_rng(1)
    repeats = torch.from_numpy(rng.standard_normal((3, N, 60)))
    found = drawn(torch.from_numpy(rng.standard_normal((N, 30))), repeats, 10)
    assert found.ceiling.reason == "no_signal"
    assert np.isnan(found.corrected).all()
    assert matched.Drawn({}, np.ones((1, 2)), None, np.ones(2)).ceiling.reason == "no_repeats"


def test_v0_is_a_quantile_and_draws_go_by_name():
    assert matched.voxels([30, 10, 50, 20, 40, 60], 0.2) == 20
    assert matched.voxels([1, 1, 90], 0.0) == 2
    one, two = (matched.draws(3, 50, name, 1, 10) for name in ("subj01/V1", "subj01/V2"))
    assert all(len(np.unique(at)) == 10 and (np.diff(at) > 0).all() for at in (*one, *two))
    assert not any(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    again = matched.draws(2, 50, "subj01/V1", 1, 10)
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=False))


SUBJECTS = ("subj01", "subj02", "subj05")
CEILING = {"V1": 0.9, "PFm": 0.5, "4": np.nan}


def made(narrow, wide, subject_shift=0.0):
    """Scores of two vision models and a checkpoint at both widths: the change is planted by region."""
    rows = []
    for m, source in enumerate(("timm:a", "timm:b", "checkpoint:run/step-000001")):
        for k, subject in enumerate(SUBJECTS):
            for region_ in CEILING:
                for kernel, level in (("c=0.5", narrow), ("c=2", wide)):
                    value = level[region_] + 0.1 * m + subject_shift * k * (kernel == "c=2")
                    rows.append((source, "blocks.0", 0.75, f"{subject}/{region_}", region_, subject, kernel, value))
    columns = ["source", "layer", "depth", "target", "region", "subject", "kernel", "calibrated"]
    return pd.DataFrame(rows, columns=columns).assign(measure="cka.rbf")


def models():
    about = {"modality": "vision", "family": "f", "architecture": "a", "parameters": 1.0, "layers": 1, "reason": ""}
    table = pd.DataFrame({"model": ["timm:a", "timm:b", "checkpoint:run/step-000001"]}).assign(**about)
    table["run"], table["step"] = ["", "", "run"], [-1, -1, 1]
    return MODELS.check(table.assign(weights="", image_size=0))


def test_the_change_with_few_voxels_stands_beside_that_with_all():
    whole = made({"V1": 0.5, "PFm": 0.2, "4": 0.0}, {"V1": 0.4, "PFm": 0.3, "4": 0.0})
    few = made({"V1": 0.4, "PFm": 0.15, "4": 0.0}, {"V1": 0.35, "PFm": 0.2, "4": 0.0}, subject_shift=0.01)
    audit = AUDIT.check(whole.assign(**_numbers(AUDIT, whole)))
    about = {"voxels": 12, "draws": 20, "raw": 0.5, "spread": 0.0, "corrected": np.nan, "reason": ""}
    table = MATCHED.check(few.assign(**about))
    rows = [
        {"target": f"{subject}/{name}", "region": name, "subject": subject, "ceiling": c, "matched_ceiling": c / 2}
        for subject in SUBJECTS
        for name, c in CEILING.items()
    ]
    limits = pd.DataFrame(rows)
    limits = CEILINGS.check(limits.assign(**_numbers(CEILINGS, limits) | {"n": 100}))
    found = matched.matched_scales(table, audit, limits, models()).set_index("region")
    assert found.loc["V1", "delta"] == pytest.approx(-0.1)
    assert found.loc["PFm", "delta"] == pytest.approx(0.1)
    assert found.loc["V1", "matched_delta"] == pytest.approx(-0.05 + 0.01)
    assert found.loc["PFm", "matched_corrected"] == pytest.approx((0.05 + 0.01) / 0.25)
    assert np.isnan(found.loc["4", "corrected"])
    assert set(found["models"]) == {2}
    assert set(found["subjects"]) == {3}
    assert set(found["voxels"]) == {12}
    known = stats.t.interval(0.95, 2, -0.04, stats.sem([-0.05, -0.04, -0.03]))
    np.testing.assert_allclose(found.loc["V1", ["low", "high"]].astype(float), known)
    assert found.loc["V1", "null_high"] == pytest.approx(2 * 1.96 * np.sqrt(2 / (100 * 97)))


def _numbers(schema, frame):
    """Columns that the case does not speak of."""
    empty = {"number": np.nan, "integer": 1, "text": ""}
    return {name: empty[kind] for name, kind in schema.columns.items() if name not in frame.columns}


def test_without_scores_there_is_no_table():
    empty = matched.matched_scales(MATCHED.empty(), AUDIT.empty(), CEILINGS.empty(), models())
    assert empty.empty
