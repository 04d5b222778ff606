"""Neighbourhoods by their definitions, in loops and dense matrices: the oracle of the fast code."""

import numpy as np
import torch


def sample(seed, n, d=4):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def similarity(x, metric):
    rows = x / np.linalg.norm(x, axis=1, keepdims=True) if metric == "cosine" else x
    return np.array([[a @ b for b in rows] for a in rows])


def lists(x, k, metric):
    """Row by row, a stable sort of similarities."""
    found = similarity(np.asarray(x), metric)
    out = []
    for i in range(len(found)):
        others = [j for j in range(len(found)) if j != i]
        out.append(sorted(others, key=lambda j, i=i: -found[i, j])[:k])
    return np.array(out)


def matrix(of, n):
    """A_ij = 1 where j is in the list of i."""
    out = np.zeros((n, n))
    np.put_along_axis(out, of.astype(int), 1.0, axis=1)
    return out


def hsic_song(p, q):
    """Song et al. 2012, eq. 5, by traces, of matrices with zero diagonals that need not be symmetric."""
    n, one = len(p), np.ones(len(p))
    ends = (one @ p @ one) * (one @ q @ one) / ((n - 1) * (n - 2))
    return (np.trace(p @ q) + ends - 2 / (n - 2) * (one @ p @ q @ one)) / (n * (n - 3))


def cknna(x, y, k, metric):
    """HSIC(M o K, M o L) / sqrt(self terms); self terms with their own masks."""
    kernels = [similarity(np.asarray(one), metric) for one in (x, y)]
    masks = [matrix(lists(one, k, metric), len(one)) for one in (x, y)]
    both = masks[0] * masks[1]
    own = [hsic_song(mask * kernel, mask * kernel) for mask, kernel in zip(masks, kernels, strict=True)]
    return hsic_song(both * kernels[0], both * kernels[1]) / np.sqrt(own[0] * own[1])
