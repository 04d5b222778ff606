"""Printed numbers recovered, and the verdict on each claim."""

from homoplasy.tables.schema import Schema

PRINTED_CHECKS = Schema(
    name="printed_checks",
    columns={
        "table": "text",
        "item": "text",
        "quantity": "text",
        "printed": "number",
        "ours": "number",
        "from_what": "text",  # points: from the points of every model | printed: from other printed numbers
        "tolerance": "number",
        "agrees": "flag",
    },
    key=("table", "item", "quantity", "from_what"),
)

VERDICTS = Schema(
    name="verdicts",
    columns={
        "claim": "text",
        "evidence": "text",  # points: what the study printed of every model | world: the scores of this run
        "reading": "text",  # written | released | calibrated
        "item": "text",  # empty for the claim as a whole
        "published": "number",
        "ours": "number",
        "low": "number",
        "high": "number",
        "verdict": "text",  # reproduced | survives | weakened | fails | untestable here
        "reason": "text",
    },
    key=("claim", "evidence", "reading", "item"),
)
