"""Ridge regression of many targets on one source, a penalty for each target; one factorisation serves them all.

The weights are b = argmin |Y - X b|^2 + alpha |b|^2 on centred columns, which is the intercept (Hoerl & Kennard 1970).
Whatever a target does not change is done once a source. With X'X = V L V' where columns are fewer than rows (primal),
and XX' = U L U' where they are more (dual; Saunders et al. 1998), every row x is predicted by

    P (Z / (L + alpha)),   P = x V, Z = V'X'Y  (primal)   or   P = x X'U, Z = U'Y  (dual).

A source that does not vary predicts the mean, a feature that does not vary has weight 0. Errors that tie go to the
largest penalty, so a target that does not vary has weights 0, the largest penalty, and NaN for its scores.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from homoplasy.maths.factorised import Source, centred

Choice = Literal["folds", "leave_one_out", "gcv"]


@dataclass(frozen=True)
class Fit:
    """The penalty of every target, the mean squared error of all of them, and weights: span c (dual), c (primal)."""

    alphas: Float[Tensor, " v"]
    errors: Float[Tensor, "a v"]
    coefficients: Float[Tensor, "k v"]
    span: Float[Tensor, "d k"] | None
    source_mean: Float[Tensor, " d"]
    target_mean: Float[Tensor, " v"]

    @property
    def weights(self) -> Float[Tensor, "d v"]:
        """One weight a feature and target."""
        return self.coefficients if self.span is None else self.span @ self.coefficients

    def predict(self, x: Float[Tensor, "m d"]) -> Float[Tensor, "m v"]:
        """(x - mean X) b + mean Y, without the d x v weights where the dual has fewer coefficients."""
        about = (x.double() - self.source_mean).to(self.coefficients.dtype)
        seen = about if self.span is None else about @ self.span
        return seen @ self.coefficients + self.target_mean


def fit(
    source: Source,
    targets: Float[Tensor, "n v"],
    alphas: Float[Tensor, " a"],
    choice: Choice = "folds",
    chunk: int = 512,
) -> Fit:
    """Give each target the penalty with the least error, and its weights; `chunk` targets are in work at a time.

    The error is the mean square over rows when they are left out by fold (`folds`), one by one (`leave_one_out`,
    Allen 1974), or its rotation-invariant stand-in (`gcv`, Golub, Heath & Wahba 1979).

    >>> from homoplasy.maths.factorised import factorise
    >>> x = torch.arange(12.0).reshape(6, 2) ** 0.5
    >>> fit(factorise(x), x[:, :1] - x[:, 1:], torch.tensor([0.01, 1.0]), "gcv").alphas
    tensor([0.0100])
    """
    _check(source, targets, alphas, choice)
    alphas = alphas.to(source.x)
    found = []
    for seen in _seen(source, targets, chunk):
        errors = CHOICES[choice](source, seen, alphas)
        best = least(errors, alphas)
        found.append((best, errors, _coefficients(source, seen.z, best), seen.mean))
    return _joined(source, found)


def solve(source: Source, targets: Float[Tensor, "n v"], alphas: Float[Tensor, " v"], chunk: int = 512) -> Fit:
    """Weights for penalties that are already chosen, one a target; there are no errors beside them."""
    _check(source, targets, alphas, "gcv")
    if alphas.shape != targets.shape[1:]:
        raise ValueError(f"one penalty a target: expected {targets.shape[1]}, found {len(alphas)}.")
    found, start = [], 0
    for seen in _seen(source, targets, chunk):
        own = alphas[start : start + seen.y.shape[1]].to(source.x)
        found.append((own, own.new_empty(0, len(own)), _coefficients(source, seen.z, own), seen.mean))
        start += len(own)
    return _joined(source, found)


def least(errors: Float[Tensor, "a v"], alphas: Float[Tensor, " a"]) -> Float[Tensor, " v"]:
    """The penalty of the least error; of those that tie, the largest."""
    return torch.where(errors == errors.amin(0), alphas[:, None], -1.0).amax(0)


def pearson(y: Float[Tensor, "n v"], predicted: Float[Tensor, "n v"]) -> Float[Tensor, " v"]:
    """Correlate each target with its prediction, r = <y_c, p_c> / (|y_c| |p_c|); NaN where one does not vary."""
    (a, _), (b, _) = centred(y), centred(predicted)
    scale = a.norm(dim=0) * b.norm(dim=0)
    return torch.where(scale > 0, (a * b).sum(0) / scale, torch.nan).clamp(-1, 1)


def determination(y: Float[Tensor, "n v"], predicted: Float[Tensor, "n v"]) -> Float[Tensor, " v"]:
    """Share of the variance that is predicted, R^2 = 1 - |y - p|^2 / |y_c|^2; NaN for a target that does not vary."""
    total = centred(y)[0].square().sum(0)
    return torch.where(total > 0, 1 - (y.double() - predicted).square().sum(0) / total, torch.nan)


@dataclass(frozen=True)
class _Seen:
    """Some targets: centred, as they meet the source (X'Y in the primal, Y in the dual), and as Z."""

    y: Float[Tensor, "n c"]
    mean: Float[Tensor, " c"]
    cross: Float[Tensor, "m c"]
    z: Float[Tensor, "k c"]


def _seen(source: Source, targets: Float[Tensor, "n v"], chunk: int) -> Iterator[_Seen]:
    for some in targets.split(chunk, 1):
        wide, mean = centred(some.to(source.x.device))
        y = wide.to(source.x.dtype)
        cross = y if source.dual else source.x.T @ y
        yield _Seen(y, mean.to(y.dtype), cross, source.vectors.T @ cross)


def _by_fold(source: Source, seen: _Seen, alphas: Float[Tensor, " a"]) -> Float[Tensor, "a c"]:
    """Mean square of what each fold's training set says of its held rows; every row counts once.

    X'Y of a training set is that of all rows less that of the held ones: V'X_t'Y_t = V'X'Y - P'Y_h.
    """
    total = seen.y.new_zeros(len(alphas), seen.y.shape[1], dtype=torch.float64)
    for fold in source.folds:
        y = seen.y[fold.held]
        z = fold.vectors.T @ seen.cross
        if not source.dual:
            z.addmm_(fold.outer.T, y, alpha=-1)
        y = y + y.sum(0) / (len(seen.y) - len(y))  # about the mean of the training rows, those of all rows being 0
        if fold.turned is None:
            outer = fold.outer
        else:
            inside, outer = fold.turned[0].T @ y, fold.turned[1]
            total += y.double().square().sum(0) - inside.double().square().sum(0)
            y = inside
        total += torch.stack([_square(y, outer / (fold.values + alpha), z) for alpha in alphas])
    return total / len(seen.y)


def _leave_one_out(source: Source, seen: _Seen, alphas: Float[Tensor, " a"]) -> Float[Tensor, "a c"]:
    """Mean square of (y_i - p_i) / (1 - 1/n - h_i): 1/n is the leverage of the intercept.

    With t = alpha / (L + alpha), y - p = (y - U q) + U t q and 1 - 1/n - h = (1 - 1/n - |u_i|^2) + sum_j u_ij^2 t_j:
    nothing cancels when alpha is small; the first terms are exactly 0 where U spans all that a mean leaves.
    """
    u, q, n = source.u, source.q(seen.z), len(seen.y)
    spans = float(u.shape[1] < n - 1)
    rest = (seen.y - u @ q) * spans
    spare = (1 - 1 / n - u.square().sum(1)) * spans
    found = []
    for alpha in alphas:
        t = alpha / (source.values + alpha)
        own = (spare + u.square() @ t)[:, None]
        found.append(_square(rest / own, -u * t / own, q))
    return torch.stack(found) / n


def _generalised(source: Source, seen: _Seen, alphas: Float[Tensor, " a"]) -> Float[Tensor, "a c"]:
    """GCV = n |y - p|^2 / (n - 1 - sum_j L_j / (L_j + alpha))^2, from the spectrum alone; 1 is the intercept's degree.

    |y - p|^2 = |y|^2 - sum_j q_j^2 + sum_j (t_j q_j)^2, t = alpha / (L + alpha).
    """
    n, q = len(seen.y), source.q(seen.z).double().square()
    t = alphas.double()[:, None] / (source.values.double() + alphas.double()[:, None])
    outside = (seen.y.double().square().sum(0) - q.sum(0)).clamp(min=0)
    spare = n - 1 - len(q)
    return n * (outside * (spare > 0) + t.square() @ q) / (spare + t.sum(1)).square()[:, None]


CHOICES: dict[str, Callable[[Source, _Seen, Tensor], Tensor]] = {
    "folds": _by_fold,
    "leave_one_out": _leave_one_out,
    "gcv": _generalised,
}


def _square(y: Float[Tensor, "h c"], outer: Float[Tensor, "h k"], z: Float[Tensor, "k c"]) -> Float[Tensor, " c"]:
    """|y - P z|^2 of each column; the penalty scales P, not Z, for P has fewer rows than there are targets."""
    return torch.addmm(y, outer, z, alpha=-1).square_().sum(0).double()


def _coefficients(source: Source, z: Float[Tensor, "k c"], alphas: Float[Tensor, " c"]) -> Float[Tensor, "k c"]:
    """Weights V Z / (L + alpha), or L^1/2 Z / (L + alpha) along the right singular vectors."""
    shrunk = z / (source.values[:, None] + alphas)
    return shrunk * source.values.sqrt()[:, None] if source.dual else source.vectors @ shrunk


def _joined(source: Source, found: list[tuple[Tensor, Tensor, Tensor, Tensor]]) -> Fit:
    alphas, errors, coefficients, mean = (torch.cat(parts, dim=-1) for parts in zip(*found, strict=True))
    return Fit(alphas, errors, coefficients, source.span, source.mean, mean)


def _check(source: Source, targets: Float[Tensor, "n v"], alphas: Float[Tensor, " _"], choice: str) -> None:
    if choice not in CHOICES:
        raise ValueError(f"a penalty is chosen by one of {', '.join(CHOICES)}, found {choice!r}.")
    if choice == "folds" and not source.folds:
        raise ValueError("the choice by folds needs a source that was factorised with folds; pass them to factorise.")
    if not (len(alphas) and (alphas > 0).all() and torch.isfinite(alphas).all()):
        raise ValueError("penalties are positive and finite, and at least one.")
    if targets.shape[0] != source.x.shape[0] or targets.shape[1] == 0:
        found = tuple(targets.shape)
        raise ValueError(f"targets have the {source.x.shape[0]} rows of the source and a column each, found {found}.")
