"""Twins of a model that know nothing: the same network before it learnt anything, random numbers of the same width."""

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from homoplasy.studies.convergence.audit import CELL
from homoplasy.tables import TWINS

_RANDOM = r"{}\.random-\d+"  # how addresses name random weights
_NO_NETWORK = ("planted", "pixels", "words")
_TWIN = ["raw", "floor", "floor_sd", "calibrated", "z", "reason"]
_MODEL = ["depth", "region", "subject", "measure", "kernel"]


def untrained(models: pd.DataFrame, made: pd.DataFrame) -> pd.DataFrame:
    """The untrained twin of every model: its address, or the reason why there is none; indexed by model.

    `made` are those that were read for this (`tables.UNTRAINED`); another may be found among the models themselves.
    """
    known = models.set_index("model")
    found = [_untrained(str(name), row, known) for name, row in known.iterrows()]
    table = pd.DataFrame(found, columns=["twin", "reason"], index=known.index)
    table.update(made.set_index("model")[["twin", "reason"]])
    return table


def _untrained(name: str, row: pd.Series, known: pd.DataFrame) -> tuple[str, str]:
    source, _, rest = name.partition(":")
    if row["run"]:
        return _step_0(row, known)
    if re.search(_RANDOM.format(r"[^/]"), rest) or re.search(r"@step0$", rest):
        return "", "it is itself untrained"
    if source in _NO_NETWORK:
        return "", "there is no network"
    return _in_roster(source, rest, row, known)


def _step_0(row: pd.Series, known: pd.DataFrame) -> tuple[str, str]:
    """Step 0 of the same run; its average is the same."""
    if row["step"] == 0:
        return "", "it is itself untrained"
    first = known[(known["run"] == row["run"]) & (known["step"] == 0)].sort_values("weights", ascending=False)
    return (str(first.index[0]), "") if len(first) else ("", f"no step 0 of run '{row['run']}'")


def _in_roster(source: str, rest: str, row: pd.Series, known: pd.DataFrame) -> tuple[str, str]:
    """A model of the roster with random weights of the same architecture and, for pictures, at the same size."""
    stem = rest.partition("@")[0] if "@step" in rest else rest.partition(".")[0]
    wanted = re.escape(f"{source}:{stem}") + ("@step0" if "@step" in rest else _RANDOM.format(""))
    same = known.index[known.index.str.fullmatch(wanted) & (known["image_size"] == row["image_size"])]
    if len(same):
        return str(same[0]), ""
    line = f"{source}:{stem}@step0" if "@step" in rest else f"{source}:{stem}.random-1"
    return "", f"'{line}' is not in the roster" if source == "timm" or "@step" in rest else "no roster line offers one"


def twins(cells: pd.DataFrame, known: pd.DataFrame, scores: pd.DataFrame, gaussian: pd.DataFrame) -> pd.DataFrame:
    """Both twins of every cell (`tables.TWINS`); `known` says which model is whose untrained twin (`untrained`).

    `cells` are rows of `tables.CHECKS`; `scores` those of `tables.AUDIT` under the same kernel, in which untrained
    twins are looked up by layer and target; `gaussian` the same of random numbers, which carry the names of the model.
    """
    named = cells[[*CELL, *_MODEL]].assign(model_raw=cells["raw"], model_calibrated=cells["calibrated"])
    looked_up = named.assign(twin=named["source"].map(known["twin"]), why=named["source"].map(known["reason"]))
    there = scores[scores["source"].isin(set(known["twin"]) - {""})].rename(columns={"source": "twin"})
    before = looked_up.merge(there[["twin", "layer", "target", *_TWIN]], on=["twin", "layer", "target"], how="left")
    absent = before["reason"].isna()
    before["reason"] = (
        before["reason"]
        .fillna(before["why"])
        .where(~absent | (before["why"] != ""), "the twin was not scored in this cell")
    )
    random = named.merge(gaussian[[*CELL, *_TWIN]], on=CELL, how="left").assign(twin="")
    random["reason"] = random["reason"].fillna("the layer has no numbers to imitate")
    parts = [before.drop(columns="why").assign(kind="untrained"), random.assign(kind="gaussian")]
    return TWINS.check(pd.concat(parts, ignore_index=True).astype({"reason": "str", "twin": "str"}))


def random_numbers(shape: tuple[int, int], name: str, seed: int) -> NDArray[np.float32]:
    """Independent standard normal numbers that depend on the name alone."""
    generator = np.random.default_rng(np.random.SeedSequence([seed, *name.encode()]))
    return generator.standard_normal(shape, dtype=np.float32)
