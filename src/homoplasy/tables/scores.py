"""Every layer against every region, and draws of such scores."""

from homoplasy.tables.schema import Schema

SCORES = Schema(
    name="scores",
    columns={
        "source": "text",
        "layer": "text",
        "depth": "number",  # in (0, 1]
        "target": "text",
        "region": "text",
        "subject": "text",
        "measure": "text",  # cka.linear | cka.rbf | mutual_knn | cycle_knn | rsa.spearman | procrustes | ...
        "params": "text",  # for example "sigma=9 biased", "c=1 debiased", "k=20 cosine"
        "estimator": "text",  # biased | debiased; empty for a measure without one
        "n": "integer",
        "value": "number",
        "null_mean": "number",  # exact mean under re-pairing; NaN where no closed form is known
        "null_sd": "number",  # exact standard deviation under re-pairing; NaN where no closed form is known
        "se": "number",  # standard error over stimuli, by leaving groups out; NaN for a measure without one
        "ceiling": "number",
        "source_units": "integer",
        "target_units": "integer",
        "source_offdiagonal": "number",  # kernel health: mean off-diagonal entry; NaN without a kernel
        "target_offdiagonal": "number",
        "source_pr": "number",  # kernel health: participation ratio; NaN without a kernel
        "target_pr": "number",
        "reason": "text",  # why the value is NaN; empty when it is not
    },
    key=("source", "layer", "target", "measure", "params"),
)

DRAWS = Schema(
    name="draws",
    columns={
        "source": "text",
        "layer": "text",
        "target": "text",
        "region": "text",
        "subject": "text",
        "measure": "text",
        "params": "text",
        "estimator": "text",
        "kind": "text",  # permutation: target re-paired | half: half of the stimuli | split: draws 2b, 2b+1 halve them
        "draw": "integer",
        "n": "integer",
        "value": "number",  # NaN where the score has none
    },
    key=("source", "layer", "target", "measure", "params", "draw"),
)
