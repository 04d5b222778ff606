import numpy as np
import pytest

from homoplasy.datasets.pocket import planted, roster


@pytest.fixture(scope="module")
def models(world):
    return {one.name: one for one in planted.models(world)}


def test_a_model_has_its_layers_in_order_with_what_a_container_needs(models, world):
    model = models["vision-03"]
    assert [layer.address for layer in model.layers] == [f"layer{i}" for i in range(1, 9)]
    assert [layer.facts["depth"] for layer in model.layers] == [i / 8 for i in range(1, 9)]
    for index, layer in enumerate(model.layers):
        assert layer.values.dtype == np.float32
        assert layer.facts["index"] == index
        assert layer.values.shape == (840, layer.facts["raw_width"])
        assert (layer.stimulus_ids == world.seen((1, 2, 5, 7))).all()
    assert model.facts["model"] == "planted:vision-03"
    assert model.facts["modality"] == "vision"
    assert not {"quality", "places", "q", "g"} & set(model.facts)  # the answers are not told


def test_the_features_take_133_megabytes_a_modality(models):
    size = {"vision": 0, "language": 0}
    for name, model in models.items():
        if name.split("-")[0] in size:
            size[model.facts["modality"]] += sum(layer.values.nbytes for layer in model.layers)
    assert all(abs(one / 1e6 - 133) < 3 for one in size.values())


def test_features_are_latents_of_known_share_and_noise(models, world):
    specs = {one.name: one for one in roster.roster(world)}
    name = max((one for one in specs.values() if one.name.startswith("vision")), key=lambda one: one.quality).name
    ids = world.seen((1, 2, 5, 7))
    visual, semantic = world.latents.visual[ids], world.latents.semantic[ids]
    first, last = models[name].layers[0].values.astype(float), models[name].layers[-1].values.astype(float)
    assert abs(explained(visual, first) - 0.8 / 1.09) < 0.03
    assert abs(explained(semantic, last) - 0.8 / 1.09) < 0.03
    assert explained(semantic, first) < 0.05
    assert abs(first.var(axis=0).mean() - 1.09) < 0.03


def explained(x, y):
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    return 1 - ((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2).sum() / (y**2).sum()


def test_one_model_overflows_and_one_has_a_constant_layer(models):
    overflow, constant = models["flawed-overflow"].layers, models["flawed-constant"].layers
    bad = [not np.isfinite(layer.values).all() for layer in overflow]
    assert bad == [False] * 5 + [True] + [False] * 2
    columns = np.flatnonzero(~np.isfinite(overflow[5].values).all(axis=0))
    assert columns.tolist() == [5]
    assert 0.05 < (~np.isfinite(overflow[5].values[:, 5])).mean() < 0.3  # every subject meets it
    assert [np.ptp(layer.values, axis=0).max() == 0 for layer in constant] == [True] + [False] * 7
    sound = [model for name, model in models.items() if not name.startswith("flawed")]
    assert all(np.isfinite(layer.values).all() and layer.values.std(0).min() > 0.5 for m in sound for layer in m.layers)


def test_features_do_not_depend_on_the_subjects_that_were_asked_for(models, make_world):
    alone = next(planted.models(make_world(subjects=(5,))))
    whole = models[alone.name].layers[2]
    rows = np.isin(whole.stimulus_ids, alone.layers[2].stimulus_ids)
    assert alone.layers[2].values.shape[0] == 240
    assert (alone.layers[2].values == whole.values[rows]).all()
