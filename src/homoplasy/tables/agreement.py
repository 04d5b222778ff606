"""What agrees with what: subjects, widths and measures; regions and layers in one plane."""

from homoplasy.tables.schema import Schema

AGREEMENTS = Schema(
    name="agreements",
    columns={
        "reading": "text",
        "modality": "text",
        "of": "text",  # models: their scores | regions: the profile over regions, mean of models
        "subject_a": "text",
        "subject_b": "text",
        "pair": "text",  # both, joined by -
        "n": "integer",
        "r": "number",
        "low": "number",  # Fisher's z
        "high": "number",
    },
    key=("reading", "modality", "of", "subject_a", "subject_b"),
)

RANKS = Schema(
    name="ranks",
    columns={
        "modality": "text",
        "of": "text",  # what is ranked: models | regions
        "a": "text",  # measure and parameters
        "b": "text",
        "n": "integer",
        "rho": "number",
        "low": "number",  # Fisher's z
        "high": "number",
    },
    key=("modality", "of", "a", "b"),
)

EMBEDDING = Schema(
    name="embedding",
    columns={
        "method": "text",  # pca | mds | umap 1, umap 2, ... by seed
        "kind": "text",  # region: its profile over layers | layer: its profile over regions
        "item": "text",
        "modality": "text",
        "model": "text",
        "bin": "integer",
        "x": "number",
        "y": "number",
    },
    key=("method", "kind", "item"),
)
