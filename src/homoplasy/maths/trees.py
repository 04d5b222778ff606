"""Trees of profiles: Ward's linkage, its fidelity, its cut against known groups, and Newick text."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.cluster import hierarchy
from scipy.spatial.distance import pdist


def unit_rows(profiles: Float[np.ndarray, "m k"]) -> Float[np.ndarray, "m k"]:
    """Scale each row to length 1, so that Euclidean distance is sqrt(2 - 2 cos); a row of zeros stays zero."""
    lengths = np.linalg.norm(profiles, axis=1, keepdims=True)
    return profiles / np.where(lengths > 0, lengths, 1.0)


def ward(profiles: Float[np.ndarray, "m k"]) -> Float[np.ndarray, "j 4"]:
    """Ward's tree with the leaf order that puts likely neighbours side by side (Ward 1963; Bar-Joseph 2001)."""
    return hierarchy.linkage(profiles, method="ward", optimal_ordering=True)


def fidelity(linkage: Float[np.ndarray, "j 4"], profiles: Float[np.ndarray, "m k"]) -> float:
    """Cophenetic correlation: how well heights in the tree keep the distances (Sokal & Rohlf 1962)."""
    if len(profiles) < 3:
        return float("nan")
    return float(hierarchy.cophenet(linkage, pdist(profiles))[0])


def leaf_order(linkage: Float[np.ndarray, "j 4"]) -> list[int]:
    """The leaves from left to right."""
    return [int(leaf) for leaf in hierarchy.leaves_list(linkage)]


def cut(linkage: Float[np.ndarray, "j 4"], groups: int) -> np.ndarray:
    """Cut the tree into a number of groups; the group of each leaf."""
    return hierarchy.cut_tree(linkage, n_clusters=groups)[:, 0]


def adjusted_rand(a: np.ndarray, b: np.ndarray) -> float:
    """Agreement of two partitions beyond chance: (S - E) / (M - E) over pairs (Hubert & Arabie 1985).

    >>> adjusted_rand(np.array([0, 0, 1, 1]), np.array(["x", "x", "y", "y"]))
    1.0
    """
    rows, columns = np.unique(a, return_inverse=True)[1], np.unique(b, return_inverse=True)[1]
    table = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(table, (rows, columns), 1)
    together = _pairs(table).sum()
    in_a, in_b = _pairs(table.sum(axis=1)).sum(), _pairs(table.sum(axis=0)).sum()
    expected = in_a * in_b / _pairs(np.array(float(len(a))))
    most = (in_a + in_b) / 2
    return 1.0 if most == expected else float((together - expected) / (most - expected))


def clades(linkage: Float[np.ndarray, "j 4"]) -> list[frozenset[int]]:
    """The leaves under each inner node, in the order of the linkage."""
    leaves = len(linkage) + 1
    below: list[frozenset[int]] = [frozenset({leaf}) for leaf in range(leaves)]
    for left, right, _, _ in linkage:
        below.append(below[int(left)] | below[int(right)])
    return below[leaves:]


def support(linkage: Float[np.ndarray, "j 4"], replicates: Sequence[Float[np.ndarray, "j 4"]]) -> list[float]:
    """Share of replicate trees that hold each clade of the tree  (Felsenstein 1985)."""
    found = [set(clades(one)) for one in replicates]
    return [sum(clade in tree for tree in found) / len(found) for clade in clades(linkage)]


def newick(linkage: Float[np.ndarray, "j 4"], names: Sequence[str]) -> str:
    """Write the tree as Newick text; a branch is as long as the height it climbs.

    >>> newick(np.array([[0.0, 1.0, 2.0, 2.0]]), ["a", "it's"])
    "('a':2,'it''s':2);"
    """
    texts = [_quoted(name) for name in names]
    heights = [0.0] * len(names)
    for left, right, height, _ in linkage:
        branches = [f"{texts[int(child)]}:{height - heights[int(child)]:.6g}" for child in (left, right)]
        texts.append(f"({','.join(branches)})")
        heights.append(float(height))
    return f"{texts[-1]};"


def _pairs(counts: np.ndarray) -> np.ndarray:
    return counts * (counts - 1) / 2


def _quoted(name: str) -> str:
    """Always quote: brackets, colons and commas in an address would read as tree."""
    return "'" + name.replace("'", "''") + "'"
