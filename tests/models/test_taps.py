"""Hooks: the order is checked, and they come off whatever happens."""

import pytest
import torch
from torch import nn

from homoplasy.errors import WorkFailed
from homoplasy.models._taps import drained, tapped, watched


def taken_by(network, names, given=None):
    modules = {name: network.get_submodule(name) for name in names}
    with tapped(modules, lambda name, output: output) as taken:
        network(torch.zeros(1, 2) if given is None else given)
        return drained(taken, names)


def test_outputs_come_in_the_order_of_the_pass():
    network = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4))
    assert [one.shape[1] for one in taken_by(network, ["0", "1"]).values()] == [3, 4]
    with pytest.raises(WorkFailed, match="expected \\['1', '0'\\], in this order"):
        taken_by(network, ["1", "0"])


def test_a_layer_that_runs_twice_is_refused_and_its_hook_taken_off():
    shared = nn.Linear(2, 2)
    network = nn.Sequential(shared, shared)
    with pytest.raises(WorkFailed, match="layer '0' ran twice"):
        taken_by(network, ["0"])
    assert not shared._forward_hooks


class Pair(nn.Module):
    def forward(self, given):
        return given + 1, given + 2


def test_of_several_outputs_the_first_is_tapped_and_all_are_watched():
    network = nn.Sequential(Pair())
    modules = {"0": network[0]}
    with (
        tapped(modules, lambda name, output: output) as first,
        watched(modules, lambda name, output: len(output)) as all_,
    ):
        network(torch.zeros(1, 2))
    assert torch.equal(first["0"], torch.ones(1, 2))
    assert all_ == {"0": 2}
