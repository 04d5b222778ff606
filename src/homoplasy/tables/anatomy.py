"""Where in the brain, at which depth and at which scale."""

from homoplasy.tables.schema import Schema

PROFILES = Schema(
    name="profiles",
    columns={
        "reading": "text",
        "modality": "text",
        "region": "text",
        "bin": "integer",  # depth bin
        "value": "number",  # mean over layers in the bin, subjects and models
        "null_mean": "number",
        "null_sd": "number",
        "ceiling": "number",
        "models": "integer",
    },
    key=("reading", "modality", "region", "bin"),
)

SPREADS = Schema(
    name="spreads",
    columns={
        "reading": "text",
        "modality": "text",
        "scores": "integer",
        "z_sd": "number",  # of z = (value - null mean) / null sd; 1 where nothing but chance is at work
        "z_max": "number",  # the largest size of z
    },
    key=("reading", "modality"),
)

DEPTHS = Schema(
    name="depths",
    columns={
        "reading": "text",
        "modality": "text",
        "subject": "text",  # mean: over subjects
        "network": "text",  # all: every region
        "bin": "integer",
        "value": "number",  # mean over regions, then layers, then models
        "corrected": "number",  # the same of value / ceiling, over regions whose ceiling is known
        "null_mean": "number",
        "regions": "integer",
        "models": "integer",
    },
    key=("reading", "modality", "subject", "network", "bin"),
)

SCALES = Schema(
    name="scales",
    columns={
        "reading": "text",  # calibrated: widths in medians | released: fixed widths, standardised
        "modality": "text",
        "region": "text",
        "network": "text",
        "delta": "number",  # score at the wide kernel minus score at the narrow one, mean over subjects
        "corrected": "number",  # the same over the ceiling of the region; NaN where there is none
        "raw": "number",  # without standardising
        "agreement": "number",  # share of subjects with the sign of the mean
        "low": "number",  # 95 %, Student's t over subjects
        "high": "number",
        "null_low": "number",  # what chance alone would give, 95 %: from the null sd of both scores
        "null_high": "number",
        "voxels": "number",
        "ncsnr": "number",
        "pr": "number",  # participation ratio of the region's kernel
        "anterior": "number",  # mm, larger is further to the front
        "residual": "number",  # delta after ln voxels, ncsnr and participation ratio; NaN where not known
        "residual_low": "number",  # with the half-width of the interval of delta
        "residual_high": "number",
    },
    key=("reading", "modality", "region"),
)

FACTS = Schema(
    name="facts",
    columns={
        "reading": "text",
        "modality": "text",
        "fact": "text",
        "item": "text",  # what it is a fact of: a network, a subject, a pair; empty for the whole
        "value": "number",
        "low": "number",
        "high": "number",
        "p": "number",
        "n": "integer",
        "note": "text",  # how the interval and p were made
    },
    key=("reading", "modality", "fact", "item"),
)
