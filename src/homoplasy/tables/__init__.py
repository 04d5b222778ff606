"""Column schemas of every table that passes between stages."""

from homoplasy.tables.agreement import AGREEMENTS, EMBEDDING, RANKS
from homoplasy.tables.anatomy import DEPTHS, FACTS, PROFILES, SCALES, SPREADS
from homoplasy.tables.association import ASSOCIATIONS, CORRELATIONS, EFFECTS, MODEL_SCORES, REGION_SETS, REGRESSIONS
from homoplasy.tables.brain import REGIONS, STIMULI, VOXELS
from homoplasy.tables.ledger import PRINTED_CHECKS, VERDICTS
from homoplasy.tables.models import CURVES, HISTORY, JOINS, MODELS, PERFORMANCE
from homoplasy.tables.schema import Schema
from homoplasy.tables.scores import DRAWS, SCORES
from homoplasy.tables.time import LAGS
from homoplasy.tables.tree import LEAVES, LINKAGE, SUPPORT, TREE

__all__ = [
    "AGREEMENTS",
    "ASSOCIATIONS",
    "CORRELATIONS",
    "CURVES",
    "DEPTHS",
    "DRAWS",
    "EFFECTS",
    "EMBEDDING",
    "FACTS",
    "HISTORY",
    "JOINS",
    "LAGS",
    "LEAVES",
    "LINKAGE",
    "MODELS",
    "MODEL_SCORES",
    "PERFORMANCE",
    "PRINTED_CHECKS",
    "PROFILES",
    "RANKS",
    "REGIONS",
    "REGION_SETS",
    "REGRESSIONS",
    "SCALES",
    "SCORES",
    "SPREADS",
    "STIMULI",
    "SUPPORT",
    "TREE",
    "VERDICTS",
    "VOXELS",
    "Schema",
]
