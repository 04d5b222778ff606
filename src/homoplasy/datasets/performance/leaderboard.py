"""The Open LLM Leaderboard 2 (dataset open-llm-leaderboard/contents, frozen in 2025): one line a submission.

A model that was submitted twice, in bfloat16 and in float16 for instance, has two lines.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import pandas as pd

from homoplasy.datasets.performance._reading import Found, frame, numbers

PATTERN = "*leaderboard2*"
Rule = Literal["preferred", "last"]
AVERAGE = "leaderboard2_avg"
BENCHMARKS: Mapping[str, str] = {  # column -> benchmark; 0 to 100, 0 being chance
    "Average ⬆️": AVERAGE,
    "IFEval": "ifeval",
    "BBH": "bbh",
    "MATH Lvl 5": "math_lvl5",
    "GPQA": "gpqa",
    "MUSR": "musr",
    "MMLU-PRO": "mmlu_pro",
}
_KIND = "the table of the Open LLM Leaderboard 2"
_CHOSEN_BY = ("Precision", "Chat Template", "Submission Date")


def preferred(lines: pd.DataFrame) -> pd.DataFrame:
    """In bfloat16 first, then with the chat template, then the earliest submission."""
    order = pd.DataFrame(
        {
            "precision": lines["Precision"].astype(str) != "bfloat16",
            "template": lines["Chat Template"].astype(str).str.lower() != "true",
            "date": lines["Submission Date"].astype(str),
        }
    ).sort_values(["precision", "template", "date"], kind="stable")
    return lines.loc[order.index].drop_duplicates("fullname", keep="first").sort_index()


def last(lines: pd.DataFrame) -> pd.DataFrame:
    """The line that stands last in the file, as the study of 2025 took it."""
    return lines.drop_duplicates("fullname", keep="last")


RULES: Mapping[Rule, Callable[[pd.DataFrame], pd.DataFrame]] = {"preferred": preferred, "last": last}
_SPOKEN: Mapping[Rule, str] = {
    "preferred": "bfloat16 before float16, then with chat template, then the earliest submission",
    "last": "the last line of the file",
}


def read(path: Path, rule: Rule) -> Found:
    """The average and the six benchmarks."""
    table = frame(path, ("fullname", *_CHOSEN_BY, *BENCHMARKS), _KIND)
    one = RULES[rule](table)
    values = pd.DataFrame({name: numbers(one, column, path, 0, 100) for column, name in BENCHMARKS.items()})
    rows = values.assign(model="transformers:" + one["fullname"].astype(str), image_size=0)
    tall = rows.melt(["model", "image_size"], var_name="benchmark", value_name="performance")
    return Found(path.name, tall.dropna(subset="performance"), len(table), len(table) - len(one), _SPOKEN[rule])
