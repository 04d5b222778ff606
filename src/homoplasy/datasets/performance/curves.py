"""How models perform along their training: Pythia's evaluations (JSON of lm-eval), and MixNet's accuracy by epoch."""

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from homoplasy import written
from homoplasy.datasets.performance._reading import frame, numbers, whole
from homoplasy.errors import BadData
from homoplasy.tables import CURVES

PATTERN = "**/*_step*.json"
TASKS = ("lambada_openai", "piqa", "sciq", "winogrande", "arc_easy", "arc_challenge", "logiqa")
_ALIASES: Mapping[str, str] = {"pythia-1b-bf16": "pythia-1b"}  # the folder of the run that the hub has as pythia-1b
_FEW_SHOT = "five-shot"


def pythia(folder: Path) -> pd.DataFrame:
    """Zero-shot accuracy of every run and step (`tables.CURVES`): EleutherAI/pythia, evals/pythia-v1.

    The step is read after `_step`: four zero-shot files of pythia-1b-bf16 carry 5shot in their names.
    """
    paths = sorted(path for path in folder.glob(PATTERN) if _FEW_SHOT not in path.parts)
    rows = [row for path in paths for row in _accuracies(path)]
    if not rows:
        return CURVES.empty()
    return CURVES.check(pd.DataFrame(rows))


def _accuracies(path: Path) -> list[dict[str, object]]:
    place = re.fullmatch(r".+_step(\d+)", path.stem)
    folders = [part for part in path.parts[:-1] if part.startswith("pythia-") and part != "pythia-v1"]
    if place is None or not folders:
        raise BadData(f"{path}: expected pythia-<size>/zero-shot/<size>_step<number>.json.")
    try:
        read = written.read_json(path)
        results, weights = read["results"], str(read.get("config", {}).get("weights", "raw"))
        found = {task: float(results[task]["acc"]) for task in TASKS if task in results}
    except (LookupError, TypeError, AttributeError, ValueError) as fault:
        raise BadData(f"{path} is not an evaluation of lm-eval ({fault!r}); expected results, task, acc.") from None
    wrong = [task for task, value in found.items() if not 0 <= value <= 1]
    if wrong:
        raise BadData(f"{path}: the accuracy of {wrong[0]} is {found[wrong[0]]}; expected a share from 0 to 1.")
    run = _ALIASES.get(folders[-1], folders[-1])
    return [
        {"run": f"EleutherAI/{run}", "weights": weights, "quantity": f"{task}.acc", "unit": "", "step": int(place[1])}
        | {"value": value}
        for task, value in found.items()
    ]


def mixnet(path: Path) -> pd.DataFrame:
    """Accuracy of MixNet by epoch (`tables.CURVES`), raw and averaged weights; a step is an epoch."""
    table = frame(path, ("model", "epoch", "averaged_weights", "imagenet_top1", "imagenet_top5"), "MixNet's accuracies")
    wide = pd.DataFrame(
        {
            "run": table["model"].astype(str),
            "weights": table["averaged_weights"].map({0: "raw", 1: "ema"}),
            "step": whole(table, "epoch", path, 0, 10_000),
            **{name: numbers(table, name, path, 0, 100) for name in ("imagenet_top1", "imagenet_top5")},
        }
    )
    if wide["weights"].isna().any():
        found = table["averaged_weights"][wide["weights"].isna()].iloc[0]
        raise BadData(f"{path}: averaged_weights is {found}; expected 0 (raw) or 1 (averaged).")
    tall = wide.melt(["run", "weights", "step"], var_name="quantity", value_name="value")
    return CURVES.check(tall.assign(unit=""))
