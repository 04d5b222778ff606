"""What chance would have announced, and how much hangs on the choices of an analysis."""

from homoplasy.tables.schema import Schema

ANNOUNCEMENTS = Schema(
    name="announcements",
    columns={
        "truth": "text",  # planted | null | width: what the generated world holds
        "seed": "integer",
        "preset": "text",
        "claim": "text",
        "answered": "flag",  # the tables of this run answer the claim at all
        "sign": "flag",  # every number of the claim has the claimed sign
        "positive": "flag",  # the preset would announce the claim
        "value": "number",  # mean of the numbers of the claim; NaN where there is none
        "reason": "text",  # the verdict in words; empty for a reading that has no verdicts
    },
    key=("truth", "seed", "preset", "claim"),
)

CERTIFICATES = Schema(
    name="certificates",
    columns={
        "claim": "text",
        "preset": "text",  # as_written | as_released | calibrated; empty: not certifiable in the pocket world
        "truth": "text",  # planted | null | width; empty: not certifiable in the pocket world
        "role": "text",  # false_positive | power | rate: nothing is planted for or against it | none
        "test": "text",  # when the preset announces the claim
        "seeds": "integer",  # generated worlds
        "answered": "integer",  # of them with an answer
        "signs": "integer",  # with the claimed sign in every number
        "positives": "integer",  # in which the preset would announce the claim
        "rate": "number",  # positives / seeds; NaN where nothing is answered
        "low": "number",  # 95 %, Clopper and Pearson
        "high": "number",
        "note": "text",  # why there is no certificate; empty where there is one
    },
    key=("claim", "preset", "truth"),
)

SPECIFICATIONS = Schema(
    name="specifications",
    columns={
        "claim": "text",
        "modality": "text",  # vision | language | both
        "kernel": "text",  # linear, sigma=9, c=1; of a change with scale: narrow>wide
        "estimator": "text",  # biased | debiased
        "bins": "integer",  # depth bins; the scored one lies at three quarters
        "binning": "text",  # block | released
        "regions": "text",  # top .05 | held out .05 | split half .05 | all | visual | ceiling | ...
        "statistic": "text",  # how the estimate is made
        "given": "text",  # what is held fixed; empty when nothing is
        "n": "integer",
        "estimate": "number",
        "low": "number",  # 95 %; how is said in `interval`
        "high": "number",
        "interval": "text",
        "supports": "flag",  # the interval lies on the claimed side of 0
        "main": "flag",  # the cell that was declared before any score existed
        "reason": "text",  # why there is no estimate; empty when there is one
    },
    key=("claim", "modality", "kernel", "estimator", "bins", "binning", "regions", "statistic", "given"),
)

GATHERED = Schema(
    name="gathered",
    columns={
        "experiment": "text",  # its name in DVC
        "settings": "text",  # what differs between the experiments: key=value, joined by spaces
        **SPECIFICATIONS.columns,
    },
    key=("experiment", *SPECIFICATIONS.key),
)

COMPONENTS = Schema(
    name="components",
    columns={
        "claim": "text",
        "modality": "text",
        "choice": "text",  # a column of specifications, or all: the claim as a whole
        "levels": "integer",  # options of the choice
        "first": "number",  # share of the variance of the estimates that the choice explains alone
        "total": "number",  # with every interaction in which it takes part
        "support_least": "number",  # share of supporting specifications at its least and most favourable option
        "support_most": "number",
        "least": "text",  # those options
        "most": "text",
        "specifications": "integer",
        "support": "number",  # share of all specifications that support the claim
        "note": "text",
    },
    key=("claim", "modality", "choice"),
)
