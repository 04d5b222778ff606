"""The published points analysed again: the printed statistics first, then what else the same points say."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from homoplasy.maths import lags
from homoplasy.studies.convergence.associations import Question, ask
from homoplasy.studies.convergence.effects import effects
from homoplasy.studies.convergence.families import mean_of_families
from homoplasy.studies.convergence.printed import checks
from homoplasy.studies.convergence.regressions import regressions
from homoplasy.tables import FACTS

MAIN = "sigma=36"
_EVERY_WIDTH = (
    Question("score", "performance"),
    Question("score", "width"),
    Question("score", "performance", ("width",)),
)
_MAIN_ONLY = (
    Question("performance", "width"),
    Question("score", "performance", ("width", "width^2")),
    Question("score", "performance", ("log_width",)),
    Question("score", "performance", ("width", "log_parameters")),
    Question("score", "performance", ("log_parameters",)),
    Question("score", "width", ("performance",)),
    Question("score", "log_width", ("performance",)),
    Question("score", "parameters"),
    Question("score", "parameters", ("width",)),
)
TWINS = {
    "Tulu-3-8B": ("transformers:allenai/Llama-3.1-Tulu-3-8B", "transformers:meta-llama/Llama-3.1-8B-Instruct"),
    "gemma-2-9b-SimPO": ("transformers:princeton-nlp/gemma-2-9b-it-SimPO", "transformers:google/gemma-2-9b-it"),
}
_NAN = float("nan")


@dataclass(frozen=True)
class Again:
    """The tables of the re-analysis."""

    associations: pd.DataFrame
    regressions: pd.DataFrame
    effects: pd.DataFrame
    facts: pd.DataFrame
    printed_checks: pd.DataFrame


def analyse_again(points: pd.DataFrame, printed: pd.DataFrame, mixnet: pd.DataFrame, draws: int, seed: int) -> Again:
    """Run the statistics of the study on its points; columns of `points` as in `tables.MODEL_SCORES`."""
    main = points[points["reading"] == MAIN]
    found = pd.concat([ask(points, _EVERY_WIDTH, draws, seed), ask(main, _MAIN_ONLY, draws, seed)], ignore_index=True)
    fits = regressions(main[main["modality"].isin(["language", "vision"])], draws, seed)
    parts = [levels(points, draws, seed), averaging_delay(mixnet), twins(main)]
    facts = pd.concat([part for part in parts if len(part)], ignore_index=True)
    against = checks(printed, points, found, fits)
    return Again(found, fits, effects(main, {}), FACTS.check(facts), against)


def levels(points: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """Mean score of each modality, and language minus vision, at every kernel width; families drawn anew."""
    rows = []
    for reading, group in points.groupby("reading", sort=True):
        drawn = {
            str(modality): mean_of_families(
                part[["score"]].to_numpy(np.float64),
                part["family"].to_numpy(object).astype(str),
                draws,
                seed,
                str(modality),
            )
            for modality, part in group.sort_values("model").groupby("modality")
        }
        for modality, one in drawn.items():
            n = int((group["modality"] == modality).sum())
            rows.append(
                _fact(str(reading), modality, "mean_score", (float(one.mean[0]), *one.interval(0)), n, one.note)
            )
        if {"language", "vision"} <= set(drawn):
            gap = drawn["language"].draws[:, 0] - drawn["vision"].draws[:, 0]
            bounds = np.quantile(gap, [0.025, 0.975])
            value = float(drawn["language"].mean[0] - drawn["vision"].mean[0])
            numbers = (value, float(bounds[0]), float(bounds[1]))
            rows.append(_fact(str(reading), "both", "language_minus_vision", numbers, 2, drawn["language"].note))
    return pd.DataFrame(rows)


def twins(main: pd.DataFrame) -> pd.DataFrame:
    """Score and performance of a tuned model minus those of the model it was tuned from."""
    rows = []
    for what in ("score", "performance"):
        language = main[main["modality"] == "language"]
        known = dict(zip(language["model"], language[what].to_numpy(np.float64).tolist(), strict=True))
        for name, (tuned, own) in TWINS.items():
            if {tuned, own} <= set(known):
                numbers = (known[tuned] - known[own], _NAN, _NAN)
                rows.append(_fact(MAIN, "language", f"tuned_minus_own_{what}", numbers, 2, "two points", name))
    return pd.DataFrame(rows)


def averaging_delay(curves: pd.DataFrame) -> pd.DataFrame:
    """How much later averaged weights reach half of their accuracy than raw ones, in doublings of epochs."""
    rows = []
    for (run, quantity), group in curves.groupby(["run", "quantity"], sort=True):
        halves = {}
        for weights, one in group.groupby("weights"):
            ordered = one.sort_values("step")
            x = np.log2(ordered["step"].to_numpy(np.float64) + 1)
            halves[weights] = lags.half_rise(x, ordered["value"].to_numpy(np.float64))
        delay = halves.get("ema", _NAN) - halves.get("raw", _NAN)
        note = f"{quantity}, averaged minus raw weights"
        rows.append(
            _fact("accuracy", str(run), "averaging_delay", (delay, _NAN, _NAN), len(group), note, str(quantity))
        )
    return pd.DataFrame(rows)


def _fact(  # noqa: PLR0913 - the columns of one row
    reading: str, modality: str, fact: str, numbers: tuple[float, float, float], n: int, note: str, item: str = ""
) -> dict[str, object]:
    value, low, high = numbers
    about = {"reading": reading, "modality": modality, "fact": fact, "item": item, "n": n, "note": note}
    return about | {"value": value, "low": low, "high": high, "p": _NAN}
