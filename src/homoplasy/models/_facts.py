"""What a roster line says of a model beside how to read it; none of it changes a feature."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from homoplasy.errors import WorkFailed
from homoplasy.models._contract import Outline

Class = Literal["", "CNN", "Transformer", "Hybrid", "MLP", "Recurrent"]


class Facts(BaseModel):
    """Facts of a model: labels for the statistics, sizes for planning; sizes are held against the model itself."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    family: str = ""  # for clustered inference; empty: what the source knows
    architecture: Class = ""  # empty: what the source knows
    width: int | None = Field(default=None, gt=0)  # units of the last layer, its map averaged
    depth: int | None = Field(default=None, gt=0)  # layers
    parameters: float | None = Field(default=None, gt=0)  # millions, of the whole network with its head
    training: str = ""  # the data that its weights come from

    @property
    def labels(self) -> Mapping[str, Any]:
        """What goes into the table of models in the place of what the source knows."""
        given: dict[str, Any] = {"family": self.family, "architecture": self.architecture}
        if self.parameters is not None:
            given["parameters"] = self.parameters * 1e6
        return {key: value for key, value in given.items() if value}

    def verify(self, outline: Outline, address: str) -> None:
        """Refuse a model that is not what its line says."""
        widths = list(outline.widths.values())
        for what, said, found in (("width", self.width, widths[-1]), ("depth", self.depth, len(widths))):
            if said is not None and said != found:
                raise WorkFailed(
                    f"its roster line says that {address} has {what} {said}, its configuration says {found}; "
                    "mend the line, or pin the revision that was meant."
                )
