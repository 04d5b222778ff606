"""Chatbot Arena ratings (dataset lmarena-ai/leaderboard-dataset, text): one line a model, category and day.

Ratings drift from day to day, so a table without days cannot be cited: it is refused. The arena has names of its own
(`qwen2.5-72b-instruct`); a model is found by the last part of its repository, letters and digits only.
"""

from pathlib import Path

import pandas as pd

from homoplasy.datasets.performance._reading import Found, frame, numbers
from homoplasy.errors import BadData

PATTERN = "*arena*"
BENCHMARK = "chatbot_arena"
SOURCE = "arena"  # addresses arena:name, until they are joined to those of models
_KIND = "a dated table of Chatbot Arena ratings (model_name, rating, category, leaderboard_publish_date)"


def plain(name: pd.Series) -> pd.Series:
    """Names with nothing but letters and digits, in lower case, without owner, source or revision."""
    return name.str.lower().str.replace(r"^[^@]*[/:]|@.*$|[^a-z0-9]", "", regex=True)


def read(path: Path) -> Found:
    """The overall rating on the newest day of the table."""
    table = frame(path, ("model_name", "rating", "category", "leaderboard_publish_date"), _KIND)
    overall = table[table["category"].astype(str).isin(("overall", "full"))]
    if overall.empty:
        raise BadData(f"{path} has no line of the category 'overall'; expected {_KIND}.")
    days = pd.to_datetime(overall["leaderboard_publish_date"].astype(str), errors="coerce", format="ISO8601", utc=True)
    if days.isna().any():
        found = overall["leaderboard_publish_date"][days.isna()].iloc[0]
        raise BadData(f"{path}: the day of a rating is {found!r}; expected a date such as 2025-01-31.")
    newest = overall[days == days.max()]
    once = newest.drop_duplicates("model_name", keep="first")
    rows = pd.DataFrame(
        {
            "model": f"{SOURCE}:" + plain(once["model_name"].astype(str)),
            "image_size": 0,
            "benchmark": BENCHMARK,
            "performance": numbers(once, "rating", path, 0, 10_000),
        }
    )
    rows = rows[~rows["model"].duplicated(keep=False)]  # two names that only differ in signs: which is meant is unknown
    rule = f"the category overall on {days.max():%Y-%m-%d}; names that differ in signs alone are left out"
    return Found(path.name, rows, len(table), len(table) - len(rows), rule)
