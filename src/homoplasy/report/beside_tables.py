"""The tables of what stands beside scores: certificates, choices, ceilings, equally many voxels."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from homoplasy.report import lookup, words
from homoplasy.report.beside import PRESETS, TRUTHS
from homoplasy.report.contents import Column, Section, Table


def certificates(table: pd.DataFrame) -> Section:
    """One row a claim and preset: how often it is announced in every kind of world."""
    columns = [Column("claim"), Column("preset"), *(Column(name, right=True) for name in TRUTHS.values())]
    columns.append(Column("announced when", wrap=True))
    rows = []
    for (claim, preset), mine in table[table["preset"] != ""].groupby(["claim", "preset"], sort=False):
        cells = {str(row["truth"]): _rate(row) for _, row in mine.iterrows()}
        tests = mine["test"].iloc[0]
        rows.append(
            [str(claim), PRESETS.get(str(preset), str(preset)), *(cells.get(one, "–") for one in TRUTHS), tests]
        )
    lost = table.loc[table["preset"] == "", ["claim", "note"]]
    note = (
        "In how many generated worlds an analysis announces a claim, with the 95 % interval of Clopper and Pearson. "
        "Nothing shared: the brains know nothing of the models; only width differs: nor here, but models differ in the "
        "number of their features; likeness planted: better models share more with the brain. ° marks worlds in which "
        "the claim is neither true nor false by construction, * one with likeness that holds the opposite of the claim."
    )
    if len(lost):
        note += f" Not certifiable in a generated world: {words.listed([str(name) for name in lost['claim']])}."
    return Section("certificates", "Certificates", note, Table(columns, rows))


def _rate(row: pd.Series) -> str:
    if not row["answered"] or np.isnan(row["rate"]):
        return "–"
    opposite = row["truth"] == "planted" and row["role"] == "false_positive"
    mark = "°" if row["role"] == "rate" else "*" if opposite else ""
    bounds = f"{100 * row['low']:.0f} to {100 * row['high']:.0f}"
    return f"{row['positives']} of {row['seeds']}{mark} ({bounds} %)"


def choices(components: pd.DataFrame) -> Section:
    """One row a claim and choice: how much of the spread of estimates hangs on it."""
    columns = [Column("claim"), Column("models"), Column("choice"), Column("options", right=True)]
    columns += [Column("share of variance", right=True), Column("with interactions", right=True)]
    columns += [Column("least support", wrap=True), Column("most support", wrap=True)]
    shown = components[components["choice"] != "all"]
    rows = [
        [
            _claim(row["claim"]),
            row["modality"],
            row["choice"],
            str(row["levels"]),
            words.number(row["first"]),
            words.number(row["total"]),
            f"{100 * row['support_least']:.0f} % ({row['least']})",
            f"{100 * row['support_most']:.0f} % ({row['most']})",
        ]
        for _, row in shown.iterrows()
    ]
    note = (
        "Every combination of choices that the scores at hand allow gives one estimate. Share of variance: what a "
        "choice explains of their spread, alone and with every interaction in which it takes part; support: the share "
        "of specifications that announce the claim at its least and most favourable option."
    )
    return Section("choices", "Which choices matter", note, Table(columns, rows))


def _claim(name: str) -> str:
    return name.replace("_", " ")


def audit_tables(audit: Mapping[str, pd.DataFrame]) -> list[Section]:
    """Ceilings by region and the scale analysis with equally many voxels, where they are there."""
    found = []
    if "ceilings" in audit:
        found.append(_ceilings(audit["ceilings"]))
    if "matched_scales" in audit:
        found.append(_matched(audit["matched_scales"]))
    return found


def _ceilings(table: pd.DataFrame) -> Section:
    columns = [Column("region"), *(Column(name, right=True) for name in ("voxels", "ceiling", "z"))]
    columns += [Column(name, right=True) for name in ("another person", "corrected", "ceiling, matched voxels")]
    rows = []
    for region, mine in table.groupby("region", sort=False):
        numbers = [words.number(lookup.ceiling(mine["ceiling"])), words.number(_mean(mine["ceiling_z"]), 1)]
        numbers += [words.number(_mean(mine["between"])), words.number(_mean(mine["between_corrected"]))]
        numbers.append(words.number(lookup.ceiling(mine["matched_ceiling"])))
        rows.append([str(region), f"{mine['voxels'].mean():.0f}", *numbers])
    note = (
        "Means over subjects. Ceiling: the score that noise leaves within reach, from repeats of the same images; z: "
        "how clearly repeats agree; another person: calibrated score with the same region of the other subjects on "
        "shared images, and over the ceilings of both."
    )
    return Section("ceilings", "What noise leaves within reach", note, Table(columns, rows))


def _matched(table: pd.DataFrame) -> Section:
    columns = [Column("models"), Column("region"), Column("change, all voxels", right=True)]
    columns += [Column("equally many", right=True), Column("95 %", right=True), Column("over the ceiling", right=True)]
    rows = [
        [
            row["modality"],
            row["region"],
            words.number(row["delta"], 3),
            words.number(row["matched_delta"], 3),
            words.interval(row["low"], row["high"], 3),
            words.number(row["matched_corrected"], 3),
        ]
        for _, row in table.iterrows()
    ]
    voxels = int(table["voxels"].max()) if len(table) else 0
    note = (
        "Change of the calibrated score from half to twice the median distance, with all voxels of a region and with "
        f"{voxels} drawn of each; the interval is Student's, over subjects."
    )
    return Section("matched", "Wider kernels with equally many voxels", note, Table(columns, rows))


def _mean(values: pd.Series) -> float:
    known = values.dropna()
    return float(known.mean()) if len(known) else float("nan")
