"""The pocket world: a generated miniature of NSD and COCO, in their very formats, with planted truth.

`generate` writes the tree and gives back the planted models, `cast` puts those of another truth into it; `training`
reads the pictures to learn from. Nothing
here is real data, and nothing of `pocket/truth` is for the analysis to read.
"""

from homoplasy.datasets.pocket.casting import cast
from homoplasy.datasets.pocket.planted import PlantedModel
from homoplasy.datasets.pocket.training_set import training, training_captions
from homoplasy.datasets.pocket.tree import generate
from homoplasy.datasets.pocket.world import VARIANTS, VERSION, World

__all__ = ["VARIANTS", "VERSION", "PlantedModel", "World", "cast", "generate", "training", "training_captions"]
