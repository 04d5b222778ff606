"""The page: one file with everything in it, readable on a phone, in the dark, and without a network."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from homoplasy.report import contents, hierarchy, learning, performance, tree, verdicts, words
from homoplasy.report.drawing import Drawing

READINGS: Mapping[str, str] = {"calibrated": "calibrated reading", "released": "as released"}
_SAME = (
    "Both take the same models, layers, images and share of regions; they differ only in kernel and estimator. A score "
    "is the mean over the best regions of each subject at one depth. Those regions are chosen on the images they are "
    "scored on, so chance alone would lift a score a little above the floor that is shown."
)
_PROVENANCE = (
    "Every number on this page was computed by the stages fetch, parcellate, train, extract, cka, stats, taxonomy and "
    "report of homoplasy; dvc.lock names the exact bytes that each of them read and wrote. The page holds no date, "
    "host or path, so that the same inputs give the same page. The method is that of Shen, Zhao, Dong, Zhang and Zeng "
    "(arXiv 2507.01966), read as the settings say."
)


@dataclass(frozen=True)
class Inputs:
    """The tables that a report is made of."""

    title: str
    about: str
    world: str
    preset: str
    model_scores: pd.DataFrame
    correlations: pd.DataFrame
    profiles: pd.DataFrame
    spreads: pd.DataFrame
    regions: pd.DataFrame
    models: pd.DataFrame
    leaves: pd.DataFrame
    linkage: pd.DataFrame
    tree: pd.DataFrame
    histories: Mapping[str, pd.DataFrame]
    settings: Mapping[str, str]


def drawings(inputs: Inputs) -> list[Drawing]:
    """Every figure that this world has the numbers for."""
    found = [
        performance.figure(inputs.model_scores, inputs.correlations),
        hierarchy.figure(inputs.profiles, inputs.regions),
        tree.figure(inputs.leaves, inputs.linkage, inputs.tree, inputs.model_scores),
        *learning.figures(inputs.histories, inputs.model_scores),
    ]
    return [drawing for drawing in found if drawing is not None]


def page(inputs: Inputs, drawn: list[Drawing]) -> str:
    """Compose the page."""
    room = Environment(
        loader=PackageLoader("homoplasy.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    room.globals["zip"] = zip
    css = resources.files("homoplasy.report").joinpath("page.css").read_text(encoding="utf-8")
    figures = [
        {"name": one.name, "title": one.title, "caption": one.caption, "svg": Markup(one.inline())} for one in drawn
    ]
    return room.get_template("page.html.jinja").render(
        title=inputs.title,
        css=Markup(css),
        question=verdicts.QUESTION,
        about=inputs.about,
        facts=facts(inputs),
        verdicts=verdicts.verdicts(inputs.model_scores, inputs.correlations),
        readings=READINGS,
        notes=notes(inputs),
        drawings=figures,
        absent=absent(drawn),
        sections=sections(inputs),
        settings="\n".join(inputs.settings.values()),
        provenance=_PROVENANCE,
    )


def facts(inputs: Inputs) -> str:
    """What was compared, in one line."""
    whole = inputs.model_scores[inputs.model_scores["run"] == ""].drop_duplicates("model")
    counts = [
        words.count(int(count), f"{modality} model") for modality, count in whole["modality"].value_counts().items()
    ]
    runs = inputs.model_scores.loc[inputs.model_scores["run"] != "", "model"].nunique()
    counts += [words.count(runs, "checkpoint")] if runs else []
    kept = inputs.regions[inputs.regions["reason"] == ""]
    if len(kept):
        counts += [words.count(kept["region"].nunique(), "region"), words.count(kept["subject"].nunique(), "subject")]
    return f"World {inputs.world}, preset {inputs.preset}. " + " · ".join(counts) + "."


def notes(inputs: Inputs) -> list[str]:
    """How the two readings were taken."""
    taken = inputs.model_scores.drop_duplicates("reading").set_index("reading")["params"]
    said = [f"{name}: {words.reading(taken[reading])}." for reading, name in READINGS.items() if reading in taken]
    if not said:
        return []
    return [" ".join(one[0].upper() + one[1:] for one in said) + " " + _SAME]


def absent(drawn: list[Drawing]) -> list[str]:
    """Which figures are not on the page, and what they would need."""
    names = {one.name.partition("-")[0] for one in drawn}
    needs = {
        "performance": "No figure of scores: no model has one.",
        "hierarchy": "No map of regions and depths: this world has no scores by region.",
        "tree": "No tree of models: it takes three models with scores at half of the depths or more.",
        "learning": "No learning curve: no network was trained in this world.",
    }
    return [why for name, why in needs.items() if name not in names]


def sections(inputs: Inputs) -> list[contents.Section]:
    """The tables below the figures."""
    return [
        contents.correlations(inputs.correlations),
        contents.chance(inputs.spreads),
        contents.regions(inputs.regions),
        contents.failures(inputs.models, inputs.model_scores),
    ]
