"""Models, how well they perform, and how they were trained."""

from homoplasy.tables.schema import Schema

MODELS = Schema(
    name="models",
    columns={
        "model": "text",  # its address
        "modality": "text",  # vision | language
        "family": "text",
        "architecture": "text",
        "parameters": "number",  # NaN: not known
        "layers": "integer",
        "run": "text",  # the training run of a checkpoint, else empty
        "step": "integer",  # -1 unless a checkpoint
        "weights": "text",  # of a checkpoint: raw | ema (their exponential moving average); else empty
        "image_size": "integer",  # pixels of a side that a vision model is given; 0: none, or not known
        "reason": "text",  # why it has no features; empty when it does
    },
    key=("model",),
)

PERFORMANCE = Schema(
    name="performance",
    columns={"model": "text", "benchmark": "text", "performance": "number"},
    key=("model", "benchmark"),
)

JOINS = Schema(
    name="joins",
    columns={
        "file": "text",
        "lines": "integer",
        "duplicates": "integer",  # lines that were dropped
        "rule": "text",  # by which
        "models": "integer",  # of ours that took a result of it
        "other_size": "integer",  # of ours that it lists, at another image size only
        "not_listed": "integer",  # of ours that it does not list
    },
    key=("file",),
)

HISTORY = Schema(
    name="history",
    columns={
        "step": "integer",
        "weights": "text",  # raw | ema
        "seen": "integer",  # pictures or tokens that the optimiser has been given
        "split": "text",  # train | held_out
        "metric": "text",  # loss | accuracy | top5 | perplexity
        "value": "number",
    },
    key=("step", "weights", "split", "metric"),
    version=2,
)

CURVES = Schema(
    name="curves",
    columns={
        "run": "text",  # a training run
        "weights": "text",  # raw | ema
        "quantity": "text",  # score | released_score, or the name of a benchmark
        "unit": "text",  # where a score was taken: subject/region; empty for a benchmark
        "step": "integer",
        "value": "number",
    },
    key=("run", "weights", "quantity", "unit", "step"),
)
