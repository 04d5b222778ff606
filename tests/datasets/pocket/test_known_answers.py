"""What the pocket world must show to any sound analysis, found with a small float64 CKA of this file's own.

The same answers are asked of the pipeline elsewhere; here they are asked of the data.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.stats import spearmanr
from sklearn.metrics import adjusted_rand_score

from homoplasy.datasets.pocket import planted, population, regions, roster
from homoplasy.datasets.pocket.brain import Brain, session_order
from homoplasy.datasets.pocket.truth import LINEAR
from homoplasy.datasets.pocket.world import World

SUBJECTS = (1, 2, 5, 7)
NAMES = [one.name for one in regions.PLANTED]
BY_NAME = {one.name: one for one in regions.REGIONS}
N = 200  # own pictures
SD = np.sqrt(2 / (N * (N - 3)))  # of a debiased CKA under re-pairing, whatever the kernels


# --- a small CKA ----------------------------------------------------------------------------------------------------


def z(x):
    return (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)


def squared_distances(x):
    gram = x @ x.T
    norm = np.diag(gram)
    out = np.maximum(norm[:, None] + norm - 2 * gram, 0)
    np.fill_diagonal(out, 0)
    return out


def rbf(x, *, sigma=None, c=None):
    d = squared_distances(x)
    width = sigma if c is None else c * np.sqrt(np.median(d[~np.eye(len(d), dtype=bool)]))
    return np.exp(-d / (2 * width**2))


def u_centred(k):
    n, a = len(k), k - np.diag(np.diag(k))
    rows, total = a.sum(axis=0), a.sum()
    out = a - rows[:, None] / (n - 2) - rows / (n - 2) + total / ((n - 1) * (n - 2))
    np.fill_diagonal(out, 0)
    return out


def debiased(k):
    a = u_centred(k)
    return (a / np.linalg.norm(a)).ravel()


def biased(k):
    a = k - k.mean(axis=0)
    a = a - a.mean(axis=1, keepdims=True)
    return (a / np.linalg.norm(a)).ravel()


READINGS = {
    "linear": lambda x: debiased(z(x) @ z(x).T),
    "calibrated": lambda x: debiased(rbf(z(x), c=1.0)),
    "released": lambda x: biased(rbf(z(x), sigma=9.0)),
}


# --- the data -------------------------------------------------------------------------------------------------------


@cache
def made(truth):
    return World(truth, 20250702, SUBJECTS, 10, "betas_fithrf_GLMdenoise_RR", "hdf5")


def answering(truth):
    """The world whose brains a variant has: only scrambled sessions change what a brain seems to answer."""
    return truth if truth == "scrambled" else "planted"


@cache
def brains(truth):
    return {subject: Brain(made(truth), subject) for subject in SUBJECTS}


def trials(brain, order=None, *, zscored=True):
    """Session-z-scored trials (720, volume) in the order that the design file claims for them."""
    order = session_order(brain.world) if order is None else order
    sessions = [brain.betas(int(s)).reshape(-1, 72).T / 300 for s in order]
    spread = [np.where(one.std(axis=0) > 0, one.std(axis=0, ddof=1), 1) for one in sessions]
    return np.concatenate([(x - x.mean(axis=0)) / sd if zscored else x for x, sd in zip(sessions, spread, strict=True)])


def repeats(brain, values):
    """The trials of own pictures as (3, pictures sorted by id, voxels), and the ids."""
    design = brain.world.design
    own = np.argsort(design.images(brain.subject)[40:]) + 40
    return values[design.repeats()[own].T - 1], design.images(brain.subject)[own]


@cache
def patterns(truth, subject):
    """The mean patterns of each region's sound voxels, and the picture ids."""
    brain = brains(truth)[subject]
    three, ids = repeats(brain, trials(brain))
    mean = three.mean(axis=0)
    body = brain.anatomy
    return {one.name: mean[:, body.voxels[one.name][body.carries(one)]] for one in regions.REGIONS}, ids


@cache
def areas(truth, subject, reading):
    """The normed kernels (24, pairs of pictures) of the planted regions."""
    return np.stack([READINGS[reading](patterns(truth, subject)[0][name]) for name in NAMES])


def rows(layer, ids):
    return layer.values[np.searchsorted(layer.stimulus_ids, ids)].astype(float)


def layers(truth):
    """(spec, layer index, layer) of every sound layer."""
    specs = {one.name: one for one in roster.roster(made(truth))}
    for model in planted.models(made(truth)):
        if not specs[model.name].flaw:
            for index, layer in enumerate(model.layers):
                yield specs[model.name], index, layer


@dataclass(frozen=True)
class Scored:
    """One layer and its scores (subjects, 24 regions) by reading; the released one only where it is asked for."""

    spec: roster.Spec
    index: int
    scores: dict
    layer: object  # of the best vision model's first layer, else None

    @property
    def deep(self):
        return self.spec.performs and (self.index + 1) / len(self.spec.places) == 0.75


@cache
def survey(truth):
    """Every sound layer of a world, scored once."""
    best = max(
        (one for one in roster.roster(made(truth)) if one.performs), key=lambda one: one.modality + f"{one.quality:.3f}"
    )
    found = []
    for spec, index, layer in layers(truth):
        depth = (index + 1) / len(spec.places)
        if depth == 0.75 or not spec.performs or spec.modality == "vision":
            wanted = ("calibrated",) if spec.performs and depth != 0.75 else ("calibrated", "released")
            of = {reading: _scores(truth, layer, reading) for reading in wanted}
            found.append(Scored(spec, index, of, layer if (spec, index) == (best, 0) else None))
    return found


def _scores(truth, layer, reading):
    world = answering(truth)
    return np.array(
        [areas(world, s, reading) @ READINGS[reading](rows(layer, patterns(world, s)[1])) for s in SUBJECTS]
    )


def best_first_layer():
    """The first layer, wholly visual, of the best planted vision model."""
    return next(one.layer for one in survey("planted") if one.layer is not None)


def deviations(truth):
    """Calibrated scores at depth 6/8 in units of their null spread: (models, subjects, 24 regions)."""
    return np.array([one.scores["calibrated"] for one in survey(truth) if one.deep]) / SD


def top(values):
    """The mean of the two best regions, ⌈5 %⌉ of 24, by model and subject."""
    return np.sort(values, axis=-1)[..., -2:].mean(axis=-1)


def table(truth, modality="language"):
    """Per model: calibrated score, released score, performance, ln width."""
    deep = [one for one in survey(truth) if one.deep and one.spec.modality == modality]
    performs = roster.performance(made(truth)).set_index("model")["performance"]
    performance = np.array([performs[f"planted:{one.spec.name}"] for one in deep])
    width = np.log([one.spec.width for one in deep])
    scored = (np.array([top(one.scores[reading]).mean() for one in deep]) for reading in ("calibrated", "released"))
    return (*scored, performance, width)


def r(a, b):
    return np.corrcoef(a, b)[0, 1]


def partial(a, b, given):
    rest = [one - np.polyval(np.polyfit(given, one, 1), given) for one in (a, b)]
    return r(*rest)


# --- variants -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("modality", ["vision", "language"])
def test_planted_quality_is_found_by_the_calibrated_score_and_width_by_the_released(modality):
    calibrated, released, performance, width = table("planted", modality)
    assert r(calibrated, performance) >= 0.85
    assert abs(r(calibrated, width)) <= 0.35
    assert r(released, width) >= 0.9
    assert abs(r(released, performance)) <= 0.2


def test_null_scores_have_unit_spread_while_the_released_follow_width_in_every_subject():
    found = deviations("null")
    assert 0.85 <= found.std() <= 1.15
    assert abs(found).max() <= 5.5
    _, released, _, width = table("null")
    assert r(released, width) >= 0.9
    between = np.corrcoef(np.array([top(one.scores["released"]) for one in survey("null") if one.deep]).T)
    assert between.min() >= 0.99


def test_width_alone_makes_the_released_score_predict_performance():
    calibrated, released, performance, width = table("width")
    assert r(released, performance) >= 0.8
    assert abs(partial(released, performance, width)) <= 0.4
    assert abs(deviations("width")).max() <= 5.5
    assert abs(r(calibrated, performance)) < 0.6


def test_mixed_quality_shows_only_once_width_is_out():
    calibrated, released, performance, width = table("mixed")
    assert partial(calibrated, performance, width) >= 0.8
    assert partial(released, performance, width) <= 0.2


def test_scrambled_sessions_leave_nothing_in_v1():
    found = deviations("scrambled")
    assert abs(found[..., NAMES.index("V1")]).max() <= 4
    assert 0.85 <= found.std() <= 1.15


def test_two_swapped_sessions_take_a_fifth_of_v1():
    """The second way to scramble: two of ten files change places, as when one job finished late."""
    swapped = np.array([1, 2, 7, 4, 5, 6, 3, 8, 9, 10])
    for subject in (1, 2):
        brain = brains("planted")[subject]
        v1 = brain.anatomy.voxels["V1"][brain.anatomy.carries(BY_NAME["V1"])]
        broken, ids = repeats(brain, trials(brain, swapped)[:, v1])
        whole = patterns("planted", subject)[0]["V1"]
        model = READINGS["linear"](rows(best_first_layer(), ids))
        ratio = (READINGS["linear"](broken.mean(axis=0)) @ model) / (READINGS["linear"](whole) @ model)
        assert 0.7 <= ratio <= 0.9


# --- regions --------------------------------------------------------------------------------------------------------


def ncsnr(brain, values):
    """σ_s/σ_n with σ_n² the mean variance of repeats and σ_s² = 1 − σ_n² (NSD)."""
    noise = values[brain.world.design.repeats() - 1].var(axis=1, ddof=1).mean(axis=0)
    return np.sqrt(np.maximum(0, 1 - noise) / noise)


def test_ncsnr_is_recovered_but_not_without_session_z_scoring():
    """For regions of 20 sound voxels up: at .3 one voxel's σ_s² has a relative sd of .7, so 12 of them miss by 10 %."""
    brain = brains("planted")[1]
    keep = brain.anatomy.mask.ravel() & ~brain.anatomy.constant.ravel()
    found, raw = np.zeros(keep.size), np.zeros(keep.size)
    found[keep] = ncsnr(brain, trials(brain)[:, keep])
    raw[keep] = ncsnr(brain, z(trials(brain, zscored=False)[:, keep]))
    for one in regions.REGIONS:
        at = brain.anatomy.voxels[one.name][brain.anatomy.carries(one)]
        if one.ncsnr >= 0.3 and at.size >= 20:
            assert abs(found[at].mean() / one.ncsnr - 1) <= 0.1, one.name
            assert raw[at].mean() <= 0.9 * found[at].mean(), one.name


def test_linear_cka_is_its_population_value_up_to_the_sampling_of_pictures():
    """2,300 pairs; a few exceed .05, because 200 pictures sample two dozen latents only so well (test_population)."""
    brain, (means, ids) = brains("planted")[1], patterns("planted", 1)
    found = np.stack([READINGS["linear"](means[one.name]) for one in LINEAR])
    wanted = [population.region(brain, one) for one in LINEAR]
    errors = []
    for spec, index, layer in layers("planted"):
        if index in {0, 5}:
            moments = population.layer(made("planted"), spec, index)
            expected = [population.cka(moments, area) for area in wanted]
            errors.append(found @ READINGS["linear"](rows(layer, ids)) - expected)
    assert np.std(errors) <= 0.02
    assert (np.abs(errors) <= 0.05).mean() >= 0.99
    assert np.abs(errors).max() <= 0.08


def test_the_best_layer_follows_the_hierarchy():
    reliable = [i for i, one in enumerate(regions.PLANTED) if one.ncsnr >= 0.3]
    total = np.zeros((8, len(reliable)))
    for one in survey("planted"):
        if one.spec.performs and one.spec.modality == "vision":
            total[one.index] += one.scores["calibrated"].mean(axis=0)[reliable]
    assert spearmanr(total.argmax(axis=0), [regions.PLANTED[i].hierarchy for i in reliable]).statistic >= 0.9


def test_regions_without_signal_show_none():
    silent = [NAMES.index(one.name) for one in regions.PLANTED if one.kind == "none"]
    found = deviations("planted")[..., silent]
    assert 0.85 <= found.std() <= 1.15
    assert abs(found).max() <= 4


def corrected(three, x):
    """Raw and noise-corrected linear CKA: h(X, Ȳ)/√(h(X, X)·h(Y_a, Y_b)), patterns centred but not re-scaled."""
    centred = [one - one.mean(axis=0) for one in three]
    means = sum(centred) / 3
    grams = [u_centred(one @ one.T) for one in (*centred, means, z(x))]
    across = np.mean([(grams[a] * grams[b]).sum() for a, b in ((0, 1), (0, 2), (1, 2))])
    with_model, model = (grams[3] * grams[4]).sum(), (grams[4] ** 2).sum()
    return with_model / np.sqrt(model * (grams[3] ** 2).sum()), with_model / np.sqrt(model * across)


def test_noise_correction_gives_the_noise_free_cka_and_evens_out_region_size():
    """Over all 240 pictures. Few voxels make the correction itself noisy: the bound is that of regions of 20 up."""
    brain = brains("planted")[1]
    images = brain.world.design.images(1)
    three, x = trials(brain)[brain.world.design.repeats().T - 1], rows(best_first_layer(), images)
    model = READINGS["linear"](x)
    found = {}
    for one in LINEAR:
        keep = brain.anatomy.carries(one)
        at = brain.anatomy.voxels[one.name][keep]
        if one.ncsnr >= 0.4 and at.size >= 20:
            found[one.name] = raw, right = corrected(three[..., at], x)
            signal = brain.signal(one)[:, keep]
            true = debiased((signal - signal.mean(axis=0)) @ (signal - signal.mean(axis=0)).T) @ model
            assert abs(right - true) <= 0.05, one.name
            assert raw < right or true < 0.1, one.name
    assert found["V1"][0] - found["V2"][0] > 0.2
    at = brain.anatomy.voxels["V1"][brain.anatomy.carries(BY_NAME["V1"])]
    rng = np.random.default_rng(0)
    drawn = [corrected(three[..., rng.choice(at, 24, replace=False)], x)[1] for _ in range(20)]
    assert abs(np.mean(drawn) - found["V2"][1]) <= 0.08


@pytest.mark.parametrize("subject", SUBJECTS)
def test_wide_kernels_lose_the_fine_region_and_gain_the_coarse(subject):
    means, ids = patterns("planted", subject)
    rng = np.random.default_rng(0)
    meaning = made("planted").latents.semantic[ids] @ rng.standard_normal((12, 200))
    model = z(meaning / meaning.std(axis=0) + 0.3 * rng.standard_normal(meaning.shape))
    cka = {
        (role, c): debiased(rbf(z(means[one.name]), c=c)) @ debiased(rbf(model, c=c))
        for role, one in (("fine", regions.FINE), ("coarse", regions.COARSE))
        for c in (0.5, 2.0)
    }
    assert 0.40 <= cka["fine", 0.5] <= 0.60
    assert cka["fine", 2.0] < cka["fine", 0.5] - 0.05
    assert cka["coarse", 2.0] > cka["coarse", 0.5] + 0.02
    assert cka["coarse", 0.5] >= 0.8


def middle_layers(truth):
    return [layer for _, index, layer in layers(truth) if index == 2]


def test_in_the_null_world_absolute_widths_follow_voxels_and_relative_ones_nothing():
    means, ids = patterns("planted", 1)
    absolute = {s: np.stack([biased(rbf(z(means[name]), sigma=s)) for name in NAMES]) for s in (7.0, 17.0)}
    relative = {c: np.stack([debiased(rbf(z(means[name]), c=c)) for name in NAMES]) for c in (0.5, 1.5)}
    change, shift = [], []
    for layer in middle_layers("null"):
        x = z(rows(layer, ids))
        change.append(absolute[17.0] @ biased(rbf(x, sigma=17.0)) - absolute[7.0] @ biased(rbf(x, sigma=7.0)))
        shift.append(relative[1.5] @ debiased(rbf(x, c=1.5)) - relative[0.5] @ debiased(rbf(x, c=0.5)))
    sizes = [means[name].shape[1] for name in NAMES]
    assert spearmanr(np.mean(change, axis=0), sizes).statistic <= -0.8
    assert np.abs(np.mean(shift, axis=0)).max() <= 4 * SD


def test_mutual_neighbours_of_the_null_world_are_as_many_as_chance_gives():
    """All null models share their latents, so they err together: the spread is that of re-pairing all of them at once.

    (A standard error over models would be too small by the share of their common error.)
    """
    k, (means, ids) = 20, patterns("planted", 1)
    of_models = np.mean([nearest(rows(layer, ids), k) for layer in middle_layers("null")], axis=0)
    of_regions = np.mean([nearest(means[name], k) for name in NAMES], axis=0)
    rng = np.random.default_rng(0)
    orders = [np.arange(N), *(rng.permutation(N) for _ in range(400))]
    found = np.array([(of_models[np.ix_(p, p)] * of_regions).sum() / (N * k) for p in orders])
    assert abs(found[1:].mean() - k / (N - 1)) <= 4 * found[1:].std() / 20
    assert abs(found[0] - k / (N - 1)) <= 4 * found[1:].std()


def nearest(x, k):
    """Which pictures are among the k nearest of each by cosine."""
    unit = z(x) / np.linalg.norm(z(x), axis=1, keepdims=True)
    likeness = unit @ unit.T
    np.fill_diagonal(likeness, -np.inf)
    out = np.zeros(likeness.shape, dtype=bool)
    np.put_along_axis(out, np.argsort(-likeness, axis=1, kind="stable")[:, :k], values=True, axis=1)
    return out


@pytest.mark.parametrize(("reading", "low", "high"), [("calibrated", 1.0, 1.0), ("released", -1.0, 0.4)])
def test_a_tree_of_calibrated_profiles_finds_the_families_and_one_of_released_does_not(reading, low, high):
    clades = [one for one in survey("planted") if not one.spec.performs]
    specs = list(dict.fromkeys(one.spec for one in clades))
    vectors = np.array([np.ravel([one.scores[reading] for one in clades if one.spec == spec]) for spec in specs])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    clusters = fcluster(linkage(vectors, "ward"), 3, "maxclust")
    with_family = adjusted_rand_score([spec.family for spec in specs], clusters)
    thirds = np.argsort(np.argsort([spec.width for spec in specs])) // 4
    with_width = adjusted_rand_score(thirds, clusters)
    assert low <= with_family <= high
    assert abs(with_width) <= 0.2 if reading == "calibrated" else with_width > with_family
