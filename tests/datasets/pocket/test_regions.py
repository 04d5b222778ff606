from scipy.stats import spearmanr

from homoplasy.datasets.pocket import regions


def test_the_label_table_has_180_names_and_the_planted_ones_among_them():
    table = regions.label_table()
    assert list(table.values()) == list(range(1, 181))
    assert (table["V1"], table["MST"], table["p24"]) == (1, 2, 180)
    assert {one.name for one in regions.REGIONS} <= set(table)


def test_24_regions_are_planted_and_their_size_says_nothing_of_their_place():
    assert len(regions.PLANTED) == 24
    assert len(regions.REGIONS) == len({one.name for one in regions.REGIONS}) == 27
    signal = [one for one in regions.PLANTED if one.kind != "none"]
    rho = spearmanr([one.hierarchy for one in signal], [one.voxels for one in signal]).statistic
    assert abs(rho) < 0.05
    assert sum(one.voxels for one in regions.REGIONS) == 3074


def test_regions_without_signal_have_no_ncsnr():
    assert all((one.kind == "none") == (one.ncsnr == 0) for one in regions.REGIONS)
