"""One source of ridge regressions, factorised once, and once for each fold: all that no target changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from homoplasy.errors import BadData
from homoplasy.maths import folds as _folds
from homoplasy.maths.gram import eigh, gram


@dataclass(frozen=True)
class Fold:
    """One training set: its eigenvalues and -vectors, and P of the rows that are left out.

    Where rows are more than eigenvectors, P = Q R and residuals are taken in k dimensions instead:
    |e - P w|^2 = |e|^2 - |Q'e|^2 + |Q'e - R w|^2.
    """

    held: Int[Tensor, " h"]
    values: Float[Tensor, " k"]
    vectors: Float[Tensor, "m k"]
    outer: Float[Tensor, "h k"]
    turned: tuple[Float[Tensor, "h k"], Float[Tensor, "k k"]] | None


@dataclass(frozen=True)
class Source:
    """All of a source that no target changes; made by `factorise`."""

    x: Float[Tensor, "n d"]
    mean: Float[Tensor, " d"]
    dual: bool
    values: Float[Tensor, " k"]
    vectors: Float[Tensor, "m k"]
    folds: tuple[Fold, ...]

    @cached_property
    def u(self) -> Float[Tensor, "n k"]:
        """Left singular vectors: U, or X V L^-1/2 in the primal."""
        return self.vectors if self.dual else self.x @ self.vectors / self.values.sqrt()

    @cached_property
    def span(self) -> Float[Tensor, "d k"] | None:
        """Right singular vectors X'U L^-1/2 in the dual: X'U alone would lose sqrt(L_1 / L_k) of the precision."""
        return self.x.T @ (self.vectors / self.values.sqrt()) if self.dual else None

    def q(self, z: Float[Tensor, "k c"]) -> Float[Tensor, "k c"]:
        """Targets along the left singular vectors, q = U'Y."""
        return z if self.dual else z / self.values.sqrt()[:, None]


def factorise(x: Float[Tensor, "n d"], folds: Sequence[Int[Tensor, " _"]] = ()) -> Source:
    """Factorise a source once, and once for each fold: eigenvectors of the smaller of X'X and XX', in float64.

    No folds are needed for the choices that want none. The type and the device of x are those of all that follows; in
    float32, products with the targets are rounded, so penalties below 1e-6 of the largest eigenvalue are a matter of
    luck.
    """
    if folds:
        _folds.check(folds, len(x))
    about, mean = centred(x)
    dual = x.shape[1] > x.shape[0]
    products = gram(about if dual else about.T)
    values, vectors = _eigen(products)
    if not dual:
        vectors = vectors * (products.diagonal() > 0)[:, None]
    leave = _leave_dual if dual else _leave_primal
    parts = tuple(_fold(rows, *leave(about, products, rows), x.dtype) for rows in (fold.to(x.device) for fold in folds))
    return Source(about.to(x.dtype), mean, dual, values.to(x.dtype), vectors.to(x.dtype), parts)


def _leave_primal(
    x: Float[Tensor, "n d"], products: Float[Tensor, "d d"], held: Int[Tensor, " h"]
) -> tuple[Float[Tensor, " k"], Float[Tensor, "d k"], Float[Tensor, "h k"]]:
    """L, V, P: the training rows' X'X is that of all less X_h'(X_h - m), m the mean of the training rows."""
    rows = x[held]
    about = rows + rows.sum(0) / (len(x) - len(held))
    values, vectors = _eigen(products - rows.T @ about)
    return values, vectors, about @ vectors


def _leave_dual(
    x: Float[Tensor, "n d"], products: Float[Tensor, "n n"], held: Int[Tensor, " h"]
) -> tuple[Float[Tensor, " k"], Float[Tensor, "n k"], Float[Tensor, "h k"]]:
    """L, U, P from the products of all rows, about the mean of the training rows; U is 0 at the rows left out."""
    train = torch.ones(len(x), dtype=torch.bool, device=x.device)
    train[held] = False
    inner, between = products[train][:, train], products[held][:, train]
    column = inner.mean(0)
    values, u = _eigen(inner - column - column[:, None] + column.mean())
    outer = (between - between.mean(1, keepdim=True) - column + column.mean()) @ u
    vectors = u.new_zeros(len(x), u.shape[1])
    vectors[train] = u
    return values, vectors, outer


def _fold(held: Tensor, values: Tensor, vectors: Tensor, outer: Tensor, dtype: torch.dtype) -> Fold:
    turned = None
    if len(held) > len(values) > 0:
        q, r = torch.linalg.qr(outer)
        turned = (q.to(dtype), r.to(dtype))
    return Fold(held, values.to(dtype), vectors.to(dtype), outer.to(dtype), turned)


def _eigen(products: Float[Tensor, "m m"]) -> tuple[Float[Tensor, " k"], Float[Tensor, "m k"]]:
    """Eigenvalues above rounding and their vectors: along the others training rows do not vary, so Z is exactly 0."""
    values, vectors = eigh(products)
    alive = values > len(values) * torch.finfo(values.dtype).eps * values[-1]
    return values[alive], vectors[:, alive]


def centred(x: Float[Tensor, "n d"]) -> tuple[Float[Tensor, "n d"], Float[Tensor, " d"]]:
    """Columns less their mean, in float64; one that varies by no more than its own rounding becomes exactly 0."""
    wide = x.double()
    mean = wide.mean(0)
    if not torch.isfinite(mean).all():  # one value that is not finite makes its mean the same
        raise BadData("ridge regression needs finite values.")
    low, high = x.aminmax(dim=0)
    varies = high - low > torch.finfo(x.dtype).eps * torch.maximum(low.abs(), high.abs())
    return (wide - mean).mul_(varies), mean
