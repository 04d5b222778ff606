"""The measures of the cka stage from what its settings name: kernels of every width, and neighbourhoods."""

from collections.abc import Mapping, Sequence
from typing import Any

from homoplasy.errors import BadRequest
from homoplasy.measures import CKA, CKNNA, CycleKNN, Measure, MutualKNN
from homoplasy.measures._neighbourhoods import Metric


def kernels(
    absolute: Sequence[float],
    relative: Sequence[float],
    estimators: Sequence[str],
    rest: Mapping[str, Any],
    *,
    linear: bool,
) -> list[CKA]:
    """One measure a kind of width and estimator; `rest` says how units are standardised."""
    sizes = {"sigma": tuple(absolute), "sigma_relative": tuple(relative)}
    kinds: list[dict[str, Any]] = [{"kernel": "linear"}] if linear else []
    kinds += [{name: widths} for name, widths in sizes.items() if widths]
    if not kinds:
        raise BadRequest("cka has no kernel: set cka.linear to true, or name cka.kernel_sizes or relative_sizes.")
    if len(set(estimators)) < len(estimators):
        raise BadRequest(f"cka.estimators names '{estimators[0]}' twice; name each of them once.")
    return [CKA(**kind, **rest, debiased=one == "debiased") for kind in kinds for one in estimators]


def neighbourhoods(k: tuple[int, ...], metric: Metric, rest: Mapping[str, Any]) -> list[Measure]:
    """Mutual and cycle kNN and CKNNA at every number of neighbours; none where no number is given."""
    about = {"k": k, "metric": metric, "standardise": rest["standardise"]}
    return [MutualKNN(**about), CycleKNN(**about), CKNNA(**about)] if k else []
