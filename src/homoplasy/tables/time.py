"""Likeness and performance along training."""

from homoplasy.tables.schema import Schema

LAGS = Schema(
    name="lags",
    columns={
        "run": "text",
        "modality": "text",
        "weights": "text",
        "benchmark": "text",
        "transform": "text",  # of performance: plain | rank | logit | log_loss
        "points": "integer",  # steps that both curves have
        "score_half": "number",  # log2(step + 1) of the half-rise
        "performance_half": "number",
        "lag": "number",  # performance minus score: above 0 the score comes first
        "low": "number",
        "high": "number",
        "units": "integer",
        "r": "number",  # of the curves
        "r_released": "number",  # of performance with the score as the released code makes it; NaN but for plain
        "r_changes": "number",  # of their changes from step to step
        "r_changes_low": "number",  # Fisher's z
        "r_changes_high": "number",
        "p_shift": "number",  # of that, changes turned round
        "p_block": "number",  # of that, blocks of changes in random order
        "note": "text",
    },
    key=("run", "weights", "benchmark", "transform"),
)
