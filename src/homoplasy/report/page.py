"""The page: one file with everything in it, readable on a phone, in the dark, and without a network."""

from collections.abc import Mapping
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from homoplasy.report import atlas, beside, beside_tables, contents, cortex, ledger, published_tables, verdicts, words
from homoplasy.report.drawing import Drawing
from homoplasy.report.figures import PUBLISHED, SUPPLEMENT, absent
from homoplasy.report.inputs import Inputs

READINGS: Mapping[str, str] = {"calibrated": "calibrated reading", "released": "as released"}
_SAME = (
    "Both take the same models, layers and images; they differ in kernel and estimator. A score is the mean over the "
    "best regions of each subject at one depth."
)
_CHOSEN: Mapping[str, str] = {
    "all": "every region counts",
    "best": "those regions are chosen on the images they are scored on, so chance alone would lift a score a little "
    "above the floor that is shown",
    "split_half": "those regions are chosen on half of the images and scored on the other half",
}
PROVENANCE = (
    "Every number here was computed by the stages fetch, parcellate, train, extract, cka, stats, taxonomy, claims and "
    "report of homoplasy. The files below were read; dvc.lock holds the same hashes, and those of everything they were "
    "made from. The report holds no date, host or path, so that the same inputs give the same bytes. The method is "
    "that of Shen, Zhao, Dong, Zhang and Zeng (arXiv 2507.01966), read as the settings say."
)
AGAIN = (
    "The study printed one score a model and kernel width, for 36 language and 594 vision models. These are values "
    "read off its figures: printed, not true ones. Its own statistics come out of them again; then the same points are "
    "asked what else they go with."
)


def page(inputs: Inputs, drawn: list[Drawing]) -> str:
    """Compose the page."""
    room = Environment(
        loader=PackageLoader("homoplasy.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    room.globals["zip"] = zip
    rows = ledger.rows(inputs.claims, inputs.study["correlations"], stands(inputs))
    figures = [
        {"number": number, "name": one.name, "title": one.title, "caption": one.caption}
        | {"reading": one.reading, "svg": Markup(one.inline())}
        for number, one in enumerate(drawn, 1)
    ]
    first, rest = ([one for one in figures if (one["name"] in PUBLISHED) is wanted] for wanted in (True, False))
    main, more = (
        [one for one in rest if str(one["name"]).startswith(SUPPLEMENT) is wanted] for wanted in (False, True)
    )
    return room.get_template("page.html.jinja").render(
        title=inputs.title,
        css=Markup(text_of("page.css")),
        script=Markup(text_of("cortex.js") + text_of("page.js")),
        cortex_note=inputs.cortex.note if inputs.cortex else "",
        ramp=", ".join(cortex.RISING_STOPS),
        question=verdicts.QUESTION,
        about=inputs.about,
        facts=facts(inputs),
        ledger=rows,
        places=list(ledger.PLACES.values()),
        counts=ledger.counts(rows),
        summary=ledger.summary(rows),
        meanings=ledger.MEANINGS,
        certified=certified(inputs),
        source=inputs.source,
        again=AGAIN,
        published=first,
        check=published_tables.checks(inputs.again["printed_checks"]),
        verdicts=verdicts.verdicts(inputs.study["model_scores"], inputs.study["correlations"], inputs.audit),
        readings=READINGS,
        notes=notes(inputs),
        drawings=main,
        supplement=more,
        absent=absent(drawn),
        atlas=_atlas(inputs),
        sections=sections(inputs),
        settings="\n".join(inputs.settings.values()),
        provenance=PROVENANCE,
        read=inputs.read,
        versions=inputs.versions or {},
    )


def stands(inputs: Inputs) -> beside.Beside:
    """What stands beside the claims: floors from re-paired images, certificates, and what noise leaves of scores."""
    nulls = inputs.audit.get("null_scores")
    floors = {} if nulls is None else beside.floors(nulls, inputs.study["model_scores"])
    return beside.Beside(floors, inputs.certificates, beside.reach(inputs.audit.get("ceilings")))


def certified(inputs: Inputs) -> str:
    """What to do where ceilings or certificates are not there."""
    lacking = [beside.NO_AUDIT] if not inputs.audit else []
    return " ".join([*lacking, *([beside.NO_CERTIFICATES] if inputs.certificates is None else [])])


def text_of(name: str) -> str:
    """A style sheet or script that lies beside this module."""
    return resources.files("homoplasy.report").joinpath(name).read_text(encoding="utf-8")


def _atlas(inputs: Inputs) -> Markup:
    """What the atlas draws, as JSON; empty where there are no regions and layers."""
    if inputs.atlas is None:
        return Markup("")
    return Markup(atlas.as_json(inputs.atlas, inputs.models, inputs.regions, inputs.study["leaves"], inputs.cortex))


def facts(inputs: Inputs) -> str:
    """What was compared, in one line."""
    scores = inputs.study["model_scores"]
    whole = scores[scores["run"] == ""].drop_duplicates("model")
    counts = [
        words.count(int(count), f"{modality} model") for modality, count in whole["modality"].value_counts().items()
    ]
    runs = scores.loc[scores["run"] != "", "model"].nunique()
    counts += [words.count(runs, "checkpoint")] if runs else []
    kept = inputs.regions[inputs.regions["reason"] == ""]
    if len(kept):
        counts += [words.count(kept["region"].nunique(), "region"), words.count(kept["subject"].nunique(), "subject")]
    return f"World {inputs.world}, preset {inputs.preset}. " + " · ".join(counts) + "."


def notes(inputs: Inputs) -> list[str]:
    """How the two readings were taken."""
    taken = inputs.study["model_scores"].drop_duplicates("reading").set_index("reading")
    shown = {reading: name for reading, name in READINGS.items() if reading in taken.index}
    if not shown:
        return []
    how = [f"{name}: {words.reading(str(taken.at[reading, 'params']))}." for reading, name in shown.items()]
    chosen = [f"{name}: {_CHOSEN[str(taken.at[reading, 'chosen'])]}." for reading, name in shown.items()]
    return [" ".join([*map(_upper, how), _SAME, *map(_upper, chosen)])]


def _upper(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


def sections(inputs: Inputs) -> list[contents.Section]:
    """The tables below the figures, which are also written as files."""
    study, again = inputs.study, inputs.again
    found = [
        contents.correlations(study["correlations"]),
        published_tables.by_benchmark(
            study["associations"],
            "benchmarks",
            "Every benchmark",
            "Score with performance, over the models that were tested on it; q: p after Benjamini and Hochberg within "
            "a reading, modality, question and method.",
        ),
        published_tables.by_benchmark(
            again["associations"],
            "published-correlations",
            "The published points at every kernel width",
            "Score with performance, as it is and at equal width or size.",
        ),
        published_tables.checks(again["printed_checks"]),
        published_tables.fits([("printed points", again["regressions"]), ("this world", study["regressions"])]),
        published_tables.agreement(study["agreements"]),
        *_beside(inputs),
        contents.chance(study["spreads"]),
        contents.regions(inputs.regions),
        contents.failures(inputs.models, study["model_scores"]),
    ]
    return [one for one in found if one.table.rows or one.name in {"regions", "missing"}]


def _beside(inputs: Inputs) -> list[contents.Section]:
    found = beside_tables.audit_tables(inputs.audit)
    if inputs.certificates is not None:
        found.insert(0, beside_tables.certificates(inputs.certificates))
    if "components" in inputs.multiverse:
        found.append(beside_tables.choices(inputs.multiverse["components"]))
    return found
