"""Which layers of a model a stage scores: those of one bin of relative depth."""

from typing import Any, Literal

from pydantic import Field, model_validator

from homoplasy.stages._settings import Strict
from homoplasy.studies.convergence.depth import scored_bin


class AtDepth(Strict):
    """The bins, the rule by which layers are sorted into them, and the bin that counts: by itself 6 of 8, 3 of 4."""

    depth_bins: int = Field(gt=0, description="at least 1")
    binning: Literal["block", "released"]
    depth: int = Field(ge=0, description="a depth bin")

    @model_validator(mode="before")
    @classmethod
    def _where_none_is_named(cls, values: dict[str, Any]) -> dict[str, Any]:
        bins = values.get("depth_bins")
        return values if "depth" in values or not isinstance(bins, int) else values | {"depth": scored_bin(bins)}
