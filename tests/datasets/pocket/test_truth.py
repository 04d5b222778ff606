import json

import numpy as np
import pytest

from homoplasy.datasets.pocket import regions


@pytest.fixture(scope="module")
def words(tree):
    return json.loads((tree / "pocket/truth/truth.json").read_text())


@pytest.fixture(scope="module")
def numbers(tree):
    with np.load(tree / "pocket/truth/truth.npz", allow_pickle=False) as file:
        return dict(file)


def test_the_truth_names_regions_models_and_what_is_bad(words):
    assert set(words["regions"]) == {one.name for one in regions.REGIONS}
    assert words["regions"]["V1"]["ncsnr"] == 0.55
    assert words["roles"] == {"fine": "STSvp", "coarse": "STSda", "tiny": "RI"}
    assert len(words["models"]) == 24 + 24 + 12 + 2
    assert len(words["models"]["vision-00"]["places"]) == 8
    assert words["bad"]["flawed_models"] == {"flawed-overflow": "overflow", "flawed-constant": "constant"}
    assert words["bad"]["misread_trial"] is None
    assert words["world"]["seed"] == 20250702


def test_the_truth_counts_voxels_by_subject(words, numbers):
    for name, subject in words["subjects"].items():
        counted = subject["regions"]
        assert sum(one["voxels"] for one in counted.values()) == numbers[f"voxels_{name}"].size
        assert len(counted["OFC"]["dropout"]) == counted["OFC"]["voxels"] // 2
        assert numbers[f"gains_{name}"].shape == (10, numbers[f"voxels_{name}"].size)
        assert numbers[f"gains_{name}"].min() >= 0.8
        corner = np.ravel_multi_index(subject["corner"]["voxel"], subject["shape"])
        assert corner in numbers[f"voxels_{name}"]


def test_the_population_cka_is_stored_for_every_layer_and_linear_region(words, numbers):
    rows, columns = words["population"]["rows"], words["population"]["columns"]
    assert "STSvp" not in columns
    assert "4" not in columns
    for name in words["subjects"]:
        table = numbers[f"population_{name}"]
        assert table.shape == (len(rows), len(columns))
        assert table.min() >= 0
        assert table.max() < 1
    best = {name: one["quality"] for name, one in words["models"].items() if name.startswith("vision")}
    first = rows.index(f"{max(best, key=best.get)}/layer1")
    assert table[first, columns.index("V1")] > 0.85
    assert table[first, columns.index("STSda")] < 1e-12


def test_the_latents_are_those_of_all_pictures(world, numbers):
    assert (numbers["visual"] == world.latents.visual).all()
    assert (numbers["model_semantic"] == world.latents.semantic).all()
