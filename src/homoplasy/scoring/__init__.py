"""All sources against all targets by every measure: rows of Scores. Rows are joined by stimulus id."""

from homoplasy.scoring.resampling import dual_interval, resample
from homoplasy.scoring.scorer import Scorer, score

__all__ = ["Scorer", "dual_interval", "resample", "score"]
