"""Column schemas of every table that passes between stages."""

from homoplasy.tables.agreement import AGREEMENTS, EMBEDDING, RANKS
from homoplasy.tables.anatomy import DEPTHS, FACTS, PROFILES, SCALES, SPREADS
from homoplasy.tables.association import ASSOCIATIONS, CORRELATIONS, EFFECTS, MODEL_SCORES, REGION_SETS, REGRESSIONS
from homoplasy.tables.audit import (
    AUDIT,
    BETWEEN,
    CEILINGS,
    CHECKS,
    LARGEST,
    LINEAR,
    MATCHED,
    MATCHED_SCALES,
    NULL_SCORES,
    TALLIES,
    TWINS,
    UNTRAINED,
)
from homoplasy.tables.brain import REGIONS, STIMULI, VOXELS
from homoplasy.tables.certificates import ANNOUNCEMENTS, CERTIFICATES, COMPONENTS, GATHERED, SPECIFICATIONS
from homoplasy.tables.ledger import PRINTED_CHECKS, VERDICTS
from homoplasy.tables.models import CURVES, HISTORY, JOINS, MODELS, PERFORMANCE
from homoplasy.tables.schema import Schema
from homoplasy.tables.scores import DRAWS, SCORES
from homoplasy.tables.time import LAGS
from homoplasy.tables.tree import LEAVES, LINKAGE, SUPPORT, TREE

__all__ = [
    "AGREEMENTS",
    "ANNOUNCEMENTS",
    "ASSOCIATIONS",
    "AUDIT",
    "BETWEEN",
    "CEILINGS",
    "CERTIFICATES",
    "CHECKS",
    "COMPONENTS",
    "CORRELATIONS",
    "CURVES",
    "DEPTHS",
    "DRAWS",
    "EFFECTS",
    "EMBEDDING",
    "FACTS",
    "GATHERED",
    "HISTORY",
    "JOINS",
    "LAGS",
    "LARGEST",
    "LEAVES",
    "LINEAR",
    "LINKAGE",
    "MATCHED",
    "MATCHED_SCALES",
    "MODELS",
    "MODEL_SCORES",
    "NULL_SCORES",
    "PERFORMANCE",
    "PRINTED_CHECKS",
    "PROFILES",
    "RANKS",
    "REGIONS",
    "REGION_SETS",
    "REGRESSIONS",
    "SCALES",
    "SCORES",
    "SPECIFICATIONS",
    "SPREADS",
    "STIMULI",
    "SUPPORT",
    "TALLIES",
    "TREE",
    "TWINS",
    "UNTRAINED",
    "VERDICTS",
    "VOXELS",
    "Schema",
]
