"""Whether subjects agree on what a wider kernel does."""

import numpy as np
import pandas as pd
import pytest

from homoplasy.maths import signs
from homoplasy.studies.convergence import scales

NETWORKS = pd.Series([f"network {r % 7}" for r in range(24)] + [""], index=[f"region {r}" for r in range(25)])


def agreement(shared, seed):
    """What four subjects agree on whose changes share so much by region, and half of their noise by network."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((4, 25)) + rng.standard_normal((4, 8))[:, np.arange(25) % 8]
    change = pd.DataFrame(shared * rng.standard_normal(25) + noise, columns=NETWORKS.index)
    return scales._agreement(change, NETWORKS, "sign_consistency")


@pytest.mark.parametrize(("shared", "least", "most"), [(0.0, 0.0, 0.025), (5.0, 0.9, 1.0)])
def test_agreement_is_announced_where_it_is_and_not_where_it_is_not(shared, least, most):
    above = np.mean([agreement(shared, seed)["low"] > signs.chance(4) for seed in range(300)])
    assert least <= above < most + 3 * np.sqrt(0.025 / 300)


def test_bounds_stay_within_what_a_share_can_be():
    found = agreement(50.0, 1)
    assert 0 <= found["low"] <= found["value"] <= found["high"] <= 1


def test_one_subject_agrees_with_nobody():
    alone = scales._agreement(pd.DataFrame([[1.0, 2.0]], columns=NETWORKS.index[:2]), NETWORKS, "sign_consistency")
    assert np.isnan([alone["value"], alone["low"], alone["high"]]).all()


def test_a_change_that_goes_with_size_alone_or_with_nothing_is_left_no_agreement():
    rng = np.random.default_rng(3)
    names = [f"region {r}" for r in range(24)]
    about = {"region": names, "voxels": rng.permutation(np.geomspace(20, 400, 24)), "ncsnr": rng.random(24)}
    table = pd.DataFrame(about | {"pr": rng.uniform(10, 60, 24)})
    noise = pd.DataFrame(0.01 * rng.standard_normal((4, 24)), columns=names)
    for change in (noise + 0.05 * (np.log(table["voxels"]) - 4.5).to_numpy(), noise + 0.1):
        plain, left = (
            scales._agreement(one, NETWORKS, "sign_consistency") for one in (change, scales._left(change, table))
        )
        assert plain["low"] > signs.chance(4)
        assert left["low"] < signs.chance(4)
