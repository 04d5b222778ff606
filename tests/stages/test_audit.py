"""audit, from files to files: a small brain with repeats, three models, and every table that comes of them."""

import shutil

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from homoplasy.errors import BadData, BadRequest
from homoplasy.execution import Shard
from homoplasy.maths.ceilings import linear_hsic
from homoplasy.representation import Representation
from homoplasy.scoring import score
from homoplasy.stages import _audit, _checks, _pairs, _settings, audit, cka
from homoplasy.store import arrays, frames
from homoplasy.tables import (
    AUDIT,
    BETWEEN,
    CEILINGS,
    CHECKS,
    MATCHED,
    MATCHED_SCALES,
    MODELS,
    NULL_SCORES,
    SCORES,
    TWINS,
    UNTRAINED,
)
from tests.conftest import ROOT

IDS = np.arange(100, 190)
SHARED = IDS[:20]
SCHEMAS = {one.name: one for one in (AUDIT, BETWEEN, CEILINGS, CHECKS, MATCHED, MATCHED_SCALES, NULL_SCORES, TWINS)}
REGIONS = {"V1": (24, 1.2), "V2": (8, 1.0), "4": (16, 0.0), "tiny": (4, 1.0)}  # voxels, ncsnr
SMALL = {
    "cka": {"kernel_sizes": [36], "relative_sizes": [0.5, 1.0, 2.0], "halves": 0},
    "audit": {"permutations": 60, "voxel_draws": 3, "voxel_share": 0.3},
}
LATENT = np.random.default_rng(0).standard_normal((len(IDS), 4))


def brain(folder, number):
    rng = np.random.default_rng(number)
    ids = np.sort(np.concatenate([SHARED, rng.choice(IDS[20:], 50, replace=False)]))
    places, mean, repeats = np.searchsorted(IDS, ids), [], [[], []]
    for name, (voxels, snr) in REGIONS.items():
        mixing = np.random.default_rng(len(name) + number).standard_normal((4, voxels))
        signal = LATENT[places] @ mixing
        trials = snr * signal / signal.std(0) + rng.standard_normal((2, len(ids), voxels))
        about = {"region": name, "left": voxels // 2, "reason_left": "", "reason_right": "", "ceiling": 0.8}
        mean.append(Representation(trials.mean(0).astype(np.float32), ids, name, np.arange(voxels), about))
        for k, some in enumerate(repeats):
            some.append(Representation(trials[k].astype(np.float16), ids, name, facts=about))
    at = folder / f"subj0{number}"
    arrays.write(at / "patterns.safetensors", "patterns", mean, {"subject": at.name, "shared": SHARED.tolist()})
    for k, some in enumerate(repeats, start=1):
        arrays.write(at / f"repeat{k}.safetensors", "repeats", some, {"subject": at.name, "repeat": k})


def features(folder, address, gain, widths=(6, 12)):
    """Four layers; the third lies in depth bin 6 of 8."""
    rng = np.random.default_rng(sum(address.encode()))
    layers = []
    for i in range(4):
        d = widths[i % 2]
        values = gain * LATENT @ rng.standard_normal((4, d)) + rng.standard_normal((len(IDS), d))
        layers.append(Representation(values.astype(np.float32), IDS, f"blocks.{i}", facts={"depth": (i + 1) / 4}))
    source, _, rest = address.partition(":")
    path = folder / source / f"{rest.replace('/', '--')}.safetensors"
    arrays.write(path, "features", layers, {"model": address, "modality": "vision"})


def models_table():
    rows = [
        ("planted:good", "", -1),
        ("planted:poor", "", -1),
        ("checkpoint:vit/step-000000", "vit", 0),
        ("checkpoint:vit/step-000009", "vit", 9),
    ]
    about = {"modality": "vision", "family": "f", "architecture": "a", "parameters": 1.0, "layers": 4, "reason": ""}
    table = pd.DataFrame(rows, columns=["model", "run", "step"]).assign(**about, weights="", image_size=0)
    return MODELS.check(table.assign(weights=np.where(table["run"] == "", "", "raw")))


def choose(root, **audit_settings):
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    for section, values in SMALL.items():
        params[section] |= values
    params["audit"] |= audit_settings
    (root / "params.yaml").write_text(yaml.safe_dump(params))


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Brains, features and scores on disk."""
    root = tmp_path_factory.mktemp("audit")
    (root / "conf").symlink_to(ROOT / "conf")
    for number in (1, 2):
        brain(root / "brain", number)
    for address, gain in (("planted:good", 2), ("planted:poor", 0), ("checkpoint:vit/step-000000", 0)):
        features(root / "features", address, gain)
    features(root / "features", "checkpoint:vit/step-000009", 1)
    features(root / "twins", "timm:good.random-1", 0)
    known = {"model": ["planted:good"], "twin": ["timm:good.random-1"], "layers": [4], "reason": [""]}
    frames.write(root / "twins/untrained.parquet", pd.DataFrame(known), UNTRAINED)
    frames.write(root / "features/models.parquet", models_table(), MODELS)
    choose(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOMOPLASY_STORE", str(root / "store"))
        settings = _settings.read(root / "params.yaml", "cka", cka.Settings)
        _settings.record({"cka": settings}, root / "settings/cka.yaml")
        frames.write(root / "scores/scores.parquet", _scores(root, settings), SCORES)
        run(root, "tables")
        shutil.copytree(root / "brain/subj01", root / "one/subj01")
        run(root, "alone", brain=root / "one")
    return root


def _scores(root, settings):
    patterns, models = _pairs.patterns(root / "brain"), _pairs.models(root / "features")
    return _pairs.read(path for *_, path in sorted(_pairs.scored(patterns, models, settings.choice())))


def run(root, to, shard=None, **paths):
    given = {name: root / name for name in ("brain", "features", "twins", "scores")} | paths
    audit.main(
        root / "params.yaml",
        **given,
        scored_with=root / "settings/cka.yaml",
        tables=root / to,
        record=root / f"{to}.yaml",
        shard=shard,
    )
    return root / to


@pytest.fixture
def here(house, monkeypatch):
    monkeypatch.setenv("HOMOPLASY_STORE", str(house / "store"))
    choose(house)
    return house


def read(root, name, folder="tables"):
    return frames.read(root / folder / f"{name}.parquet", SCHEMAS[name])


def test_every_cell_of_the_scores_is_in_the_audit_with_both_estimators(here):
    table, scores = read(here, "audit"), frames.read(here / "scores/scores.parquet", SCORES)
    assert len(table) == len(scores) / 2
    assert table[["raw", "floor", "calibrated", "z"]].notna().all(axis=None)
    assert sorted(path.stem for path in (here / "tables").iterdir()) == sorted(SCHEMAS)


def test_the_layers_of_the_scored_depth_are_checked_and_of_a_run_the_last_step(here):
    checks = read(here, "checks")
    assert set(checks["layer"]) == {"blocks.2"}
    assert set(checks["source"]) == {"planted:good", "planted:poor", "checkpoint:vit/step-000009"}
    assert set(checks["draws"]) == {60}
    joined = checks.merge(read(here, "audit"), on=[*AUDIT.key], suffixes=("", "_scored"))
    assert len(joined) == len(checks)
    np.testing.assert_allclose(joined["raw"], joined["raw_scored"], atol=1e-5)
    np.testing.assert_allclose(joined["calibrated"], joined["calibrated_scored"], atol=1e-5)
    np.testing.assert_allclose(joined["floor"], joined["floor_scored"], atol=1e-5)


def test_what_is_planted_survives_and_noise_does_not(here):
    checks = read(here, "checks").set_index(["source", "region"])
    assert (checks.loc[("planted:good", "V1"), "p_family"] == 1 / 61).all()
    noise = pd.concat([checks.xs("4", level="region"), checks.xs("planted:poor", level="source")])
    assert noise["z"].abs().max() < 4
    assert noise["p_family"].median() > 0.5
    assert checks.loc[("planted:good", "V1"), "z"].min() > 10
    assert set(checks.xs("4", level="region")["ceiling_reason"]) == {"no_signal"}
    seen = checks.loc[("planted:good", "V1")]
    assert (seen["linear"] < seen["corrected"]).all()
    assert (seen["ceiling"] < 1).all()


def test_corrected_is_what_a_user_gets_by_hand(here):
    """h(X, Y) / sqrt(h(X, X) h(Y_a, Y_b)) of centred patterns and z-scored features."""
    checks = read(here, "checks")
    row = checks[(checks["source"] == "planted:good") & (checks["target"] == "subj01/V1")].iloc[0]
    patterns = arrays.Container(here / "brain/subj01/patterns.safetensors", "patterns")
    own = patterns.stimulus_ids[~np.isin(patterns.stimulus_ids, SHARED)]
    x = arrays.Container(here / "features/planted/good.safetensors", "features")["blocks.2"].select(own).values
    x = torch.from_numpy((x - x.mean(0)) / x.std(0, ddof=1)).double()
    a, b = (
        torch.from_numpy(
            arrays.Container(here / f"brain/subj01/repeat{k}.safetensors", "repeats")["V1"].select(own).values
        ).double()
        for k in (1, 2)
    )
    y = torch.from_numpy(patterns["V1"].select(own).values).double()
    expected = linear_hsic(x, y) / (linear_hsic(x, x) * linear_hsic(a, b)).sqrt()
    assert row["corrected"] == pytest.approx(expected.item(), rel=1e-4)


def test_regions_with_few_voxels_give_no_matched_score(here):
    table, limits = read(here, "matched"), read(here, "ceilings").set_index("region")
    assert limits.loc["tiny", "matched_reason"].tolist() == ["few_voxels"] * 2
    assert limits.loc["V1", "matched_voxels"].tolist() == [8, 8]
    few = table[table["region"] == "tiny"]
    assert set(few["reason"]) == {"few_voxels"}
    assert few["raw"].isna().all()
    rest = table[table["region"] != "tiny"]
    assert set(rest["kernel"]) == {"linear", "c=0.5", "c=1", "c=2"}
    assert rest[["raw", "calibrated"]].notna().all(axis=None)
    strong = rest[(rest["region"] == "V1") & (rest["kernel"] == "linear")]
    assert strong["corrected"].notna().all()


def test_the_mean_of_draws_of_all_voxels_is_the_score_itself(here):
    """Draws of as many voxels as a region has are the region."""
    choose(here, voxel_share=1.0, voxel_draws=2)
    run(here, "whole")
    table = read(here, "matched", "whole").merge(read(here, "audit"), on=[*AUDIT.key], suffixes=("", "_all"))
    mine = table[table["region"] == "V1"]
    assert len(mine) == 3 * 2 * 4
    np.testing.assert_allclose(mine["calibrated"], mine["calibrated_all"], atol=2e-5)
    np.testing.assert_allclose(mine["raw"], mine["raw_all"], atol=2e-5)
    linear = mine[mine["kernel"] == "linear"].merge(read(here, "checks"), on=["source", "layer", "target"])
    np.testing.assert_allclose(linear["corrected_x"], linear["corrected_y"], rtol=1e-4)


def test_subjects_are_compared_on_the_images_that_they_share(here):
    table = read(here, "between").set_index("region")
    assert table.loc["V1", "n"] == 20
    a, b = (arrays.Container(here / f"brain/subj0{k}/patterns.safetensors", "patterns")["V1"] for k in (1, 2))
    hand = score([a.select(SHARED)], [b.select(SHARED)], [audit.CKA()])["value"].item()
    assert table.loc["V1", "calibrated"] == pytest.approx(hand, abs=1e-5)
    assert table.loc["V1", "corrected"] > table.loc["V1", "linear"]
    assert table.loc["4", "reason"] == "no_signal"


def test_twins_score_in_the_same_cells(here):
    table = read(here, "twins")
    random = table[table["kind"] == "gaussian"]
    assert (random["reason"] == "").all()
    assert random["z"].abs().max() < 5
    assert abs(random["raw"] - random["floor"]).max() < 6 * random["floor_sd"].max()
    trained = table[(table["kind"] == "untrained") & (table["source"] == "checkpoint:vit/step-000009")]
    scores = read(here, "audit").set_index(["source", "layer", "target", "kernel"])
    first = scores.loc[("checkpoint:vit/step-000000", "blocks.2", "subj01/V1", "c=1")]
    assert trained.set_index("target").loc["subj01/V1", "raw"] == first["raw"]
    made = table[(table["kind"] == "untrained") & (table["source"] == "planted:good")]
    assert set(made["twin"]) == {"timm:good.random-1"}
    assert made["z"].abs().max() < 5 < made["model_calibrated"].max() / made["floor_sd"].max()
    assert not scores.index.get_level_values("source").str.contains("random").any()
    assert set(table.loc[table["source"] == "planted:poor", "reason"]) == {"", "there is no network"}


def test_null_scores_hold_every_draw_of_every_model(here):
    table = read(here, "null_scores")
    assert len(table) == 3 * 60
    assert set(table["modality"]) == {"vision"}
    assert table[["raw", "calibrated"]].notna().all(axis=None)


def refuse_work(monkeypatch):
    def refused(*_):
        raise AssertionError("what is stored was computed again")

    for name in ("_floors", "_noise", "_matched", "_gaussian", "_untrained"):
        monkeypatch.setattr(_checks.Subject, name, refused)


def test_a_second_run_computes_nothing_and_writes_the_same_bytes(here, monkeypatch):
    refuse_work(monkeypatch)
    again = run(here, "again")
    for path in sorted(again.iterdir()):
        assert path.read_bytes() == (here / "tables" / path.name).read_bytes(), path.name


def test_killed_work_goes_on_where_it_was_and_shards_fill_the_store(here, tmp_path, monkeypatch):
    monkeypatch.setenv("HOMOPLASY_STORE", str(tmp_path / "fresh"))
    kept = []
    keep = _checks.Piece.keep

    def counted(piece):
        if len(kept) == 3:
            raise KeyboardInterrupt
        keep(piece)
        kept.append(piece.key)

    monkeypatch.setattr(_audit.Piece, "keep", counted)
    with pytest.raises(KeyboardInterrupt):
        run(here, "killed")
    monkeypatch.setattr(_audit.Piece, "keep", keep)
    for number in (1, 2):
        run(here, "sharded", Shard(number, 2))
    assert not (here / "sharded").exists()
    refuse_work(monkeypatch)
    run(here, "sharded")
    for path in sorted((here / "sharded").iterdir()):
        assert path.read_bytes() == (here / "tables" / path.name).read_bytes(), path.name


def test_no_two_pieces_share_a_key_where_no_untrained_twin_was_read(here, tmp_path, monkeypatch):
    keys = []
    monkeypatch.setattr(_audit.Piece, "keep", lambda piece: keys.append(piece.key))
    frames.write(tmp_path / "untrained.parquet", UNTRAINED.empty(), UNTRAINED)
    run(here, "untwinned", Shard(1, 1), twins=tmp_path)
    assert len(set(keys)) == len(keys) > 0


@pytest.mark.parametrize(
    ("setting", "value", "table", "column"),
    [
        ("kernel", "linear", "checks", "raw"),
        ("size", 2.0, "checks", "raw"),
        ("depth", 4, "checks", "raw"),
        ("depth_bins", 3, "checks", "raw"),
        ("binning", "released", "checks", "raw"),
        ("layers", "all", "checks", "raw"),
        ("steps", "all", "checks", "raw"),
        ("permutations", 30, "checks", "draws"),
        ("top_share", 1.0, "null_scores", "calibrated"),
        ("voxel_share", 0.9, "matched", "raw"),
        ("voxel_draws", 2, "matched", "raw"),
        ("units", "brain", "checks", "unit_corrected"),
        ("seed", 2, "checks", "permuted"),
    ],
)
def test_every_setting_changes_something(here, setting, value, table, column):
    choose(here, **{setting: value})
    run(here, "changed", brain=here / "one")
    before, after = (read(here, table, folder)[column] for folder in ("alone", "changed"))
    assert not before.equals(after)


def test_a_main_kernel_that_was_not_scored_is_checked_all_the_same(here):
    choose(here, kernel="absolute", size=20.0)
    run(here, "absolute", brain=here / "one")
    checks = read(here, "checks", "absolute")
    assert set(checks["kernel"]) == {"sigma=5"}
    assert checks["raw"].notna().all()
    untrained = read(here, "twins", "absolute").query("kind == 'untrained' and source.str.startswith('checkpoint')")
    assert set(untrained["reason"]) == {"the twin was not scored in this cell"}


def test_without_brains_only_the_scores_are_audited(here, tmp_path):
    (tmp_path / "brain").mkdir()
    run(here, "printed", brain=tmp_path / "brain")
    assert len(read(here, "audit", "printed"))
    for name in set(SCHEMAS) - {"audit"}:
        assert read(here, name, "printed").empty, name


def test_scores_of_unknown_settings_are_refused(here, tmp_path):
    for text in (None, "cka: [", "other: {}", "- 1"):
        record = tmp_path / "cka.yaml"
        if text is not None:
            record.write_text(text)
        with pytest.raises(BadData, match=r"does not hold the settings of the cka stage; run dvc repro cka\."):
            _audit.scored_with(record)


def test_a_depth_without_layers_is_named(here):
    choose(here, depth=7)
    with pytest.raises(
        BadRequest, match=r"no layer lies in depth bin 7; audit\.depth can be 2, 4, 6, 8, or set audit\.layers"
    ):
        run(here, "never")


def test_settings_that_cannot_be_are_refused(here):
    choose(here, permutations=0)
    with pytest.raises(BadRequest, match=r"'audit\.permutations' is 0; expected a whole number, at least 1"):
        run(here, "never")
