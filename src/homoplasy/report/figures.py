"""Which figures a report has, in the order of the story."""

from collections.abc import Iterator, Mapping

from homoplasy.report import (
    certificates,
    consistency,
    cortex_maps,
    depth_profiles,
    hierarchy,
    kernel_widths,
    lags,
    learning,
    performance,
    plane,
    printed,
    scale,
    specifications,
    supplement,
    tree,
)
from homoplasy.report.drawing import Drawing
from homoplasy.report.inputs import Inputs

SUPPLEMENT = "supplement-"  # how the names of supplementary figures begin
PUBLISHED = ("printed", "kernel-widths")  # figures of the published points, whatever the world
_NEEDS: Mapping[str, str] = {
    "performance": "No figure of scores: no model has one.",
    "depths": "No profiles over depth: this world has no scores by region.",
    "hierarchy": "No map of regions and depths: this world has no scores by region.",
    "plane": "No plane of layers and regions: this world has no scores by region.",
    "learning": "No learning curve: no network was trained in this world.",
    "lags": "No lags: no training run has both a score and a performance that rise.",
    "scale": "No figure of kernel widths by region: this world has no scores at both widths.",
    "tree": "No tree of models: it takes three models with scores at half of the depths or more.",
    "consistency": "No comparison of kernels and measures: this world has no scores by region.",
}


def drawings(inputs: Inputs) -> list[Drawing]:
    """Every figure that this world has the numbers for."""
    return [drawing for drawing in _all(inputs) if drawing is not None]


def _all(inputs: Inputs) -> Iterator[Drawing | None]:
    study, again = inputs.study, inputs.again
    scores, facts = study["model_scores"], study["facts"]
    yield printed.figure(inputs.points, again["associations"])
    yield kernel_widths.figure(again["associations"], again["facts"])
    yield performance.figure(scores, study["correlations"])
    yield depth_profiles.figure(study["depths"], facts)
    yield hierarchy.figure(study["profiles"], inputs.regions)
    yield cortex_maps.likeness(study["profiles"], inputs.regions, inputs.cortex)
    yield plane.figure(study["embedding"], facts, inputs.regions)
    yield from learning.figures(inputs.histories, scores)
    yield lags.figure(study["lags"], facts)
    yield scale.figure(study["scales"], facts)
    yield cortex_maps.change(study["scales"], facts, inputs.regions, inputs.cortex)
    yield tree.figure(study["leaves"], study["linkage"], study["tree"], scores)
    yield consistency.figure(study["ranks"])
    yield certificates.figure(inputs.certificates)
    yield from specifications.figures(inputs.multiverse.get("specifications"), inputs.multiverse.get("components"))
    yield from supplement.figures(inputs)


def absent(drawn: list[Drawing]) -> list[str]:
    """Which figures are not on the page, and what they would need."""
    names = {"learning" if one.name.startswith("learning-") else one.name for one in drawn}
    return [why for name, why in _NEEDS.items() if name not in names]
