"""Folds of a cross-validation: each is the rows that one training set leaves out, in rising order."""

from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor


def blocks(n: int, k: int) -> list[Int[Tensor, " _"]]:
    """Cut n rows into k runs of neighbours, the first n mod k of them one row longer.

    >>> [fold.tolist() for fold in blocks(5, 2)]
    [[0, 1, 2], [3, 4]]
    """
    if not 2 <= k <= n:
        raise ValueError(f"{n} rows make 2 to {n} folds, found {k}; change the number of folds.")
    return list(torch.arange(n).tensor_split(k))


def shuffled(n: int, k: int, generator: torch.Generator) -> list[Int[Tensor, " _"]]:
    """Deal n rows into k folds at random."""
    order = torch.randperm(n, generator=generator)
    return [order[fold].sort().values for fold in blocks(n, k)]


def by_label(labels: Int[Tensor, " n"]) -> list[Int[Tensor, " _"]]:
    """Leave out the rows of one label at a time, such as those of one run.

    >>> [fold.tolist() for fold in by_label(torch.tensor([1, 0, 1]))]
    [[1], [0, 2]]
    """
    return [torch.nonzero(labels == label).flatten() for label in labels.unique()]


def check(folds: Sequence[Int[Tensor, " _"]], n: int) -> None:
    """Refuse folds that do not leave out each of n rows exactly once, in two or more parts."""
    held = torch.cat(list(folds)) if folds else torch.empty(0, dtype=torch.int64)
    whole = len(held) == n and torch.equal(held.sort().values.cpu(), torch.arange(n))
    if len(folds) < 2 or not whole or any(len(fold) == 0 for fold in folds):
        sizes = [len(fold) for fold in folds]
        raise ValueError(f"folds leave out each of {n} rows once, in two or more parts; found parts of {sizes} rows.")
