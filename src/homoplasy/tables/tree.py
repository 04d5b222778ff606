"""The tree of the models."""

from homoplasy.tables.schema import Schema

LEAVES = Schema(
    name="leaves",
    columns={
        "model": "text",
        "modality": "text",
        "family": "text",
        "architecture": "text",
        "width": "number",  # mean units of its layers
        "leaf": "integer",  # its number in the linkage; -1: not in the tree
        "place": "integer",  # its place from left to right; -1: not in the tree
        "reason": "text",  # why it is not in the tree
    },
    key=("model",),
)

LINKAGE = Schema(
    name="linkage",
    columns={
        "node": "integer",  # leaves are 0 ... m-1, nodes follow
        "left": "integer",
        "right": "integer",
        "height": "number",
        "leaves": "integer",
    },
    key=("node",),
)

TREE = Schema(
    name="tree",
    columns={"fact": "text", "value": "number", "note": "text"},
    key=("fact",),
)

SUPPORT = Schema(
    name="support",
    columns={"node": "integer", "leaves": "integer", "support": "number"},  # share of half-samples of regions
    key=("node",),
)
