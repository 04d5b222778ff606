"""Tables that stand beside printed ones: correlations by benchmark, agreement of subjects, fits, and the check."""

import numpy as np
import pandas as pd

from homoplasy.report import words
from homoplasy.report.contents import Column, Section, Table


def checks(table: pd.DataFrame) -> Section:
    """Whether the printed numbers come out of the printed points, and of each other."""
    columns = [Column("printed in"), Column("item"), Column("quantity"), Column("printed", right=True)]
    columns += [Column("ours", right=True), Column("tolerance", right=True), Column("agrees")]
    columns += [Column("computed from", wrap=True)]
    sources = {"points": "the points of every model", "printed": "other printed numbers"}
    rows = [
        [
            *(str(row[name]) for name in ("table", "item", "quantity")),
            *(words.significant(float(row[name])) for name in ("printed", "ours", "tolerance")),
            "yes" if row["agrees"] else "no",
            sources.get(str(row["from_what"]), str(row["from_what"])),
        ]
        for _, row in table.iterrows()
    ]
    note = (
        f"{int(table['agrees'].sum())} of {len(table)} printed numbers come out of the published points and tables to "
        "their printed precision."
    )
    return Section("printed-checks", "Printed numbers, computed again", note, Table(columns, rows))


def by_benchmark(associations: pd.DataFrame, name: str, title: str, note: str) -> Section:
    """Score with performance on each benchmark, as it is and with something held fixed."""
    mine = associations[(associations["x"] == "score") & (associations["y"] == "performance")]
    columns = [Column("reading"), Column("models"), Column("benchmark"), Column("at equal"), Column("n", right=True)]
    for letter in ("r", "ρ"):
        columns += [Column(letter, right=True), Column(f"{letter}: Fisher", right=True)]
        columns += [Column(f"{letter}: families", right=True), Column(f"{letter}: q", right=True)]
    rows = []
    for (reading, modality, benchmark, given), pair in mine.groupby(
        ["reading", "modality", "benchmark", "given"], sort=False
    ):
        cells = {row["method"]: _estimate(row) for _, row in pair.iterrows()}
        held = str(given).replace("log_", "ln ").replace("+", ", ") or "–"
        about = [str(reading), str(modality), str(benchmark), held, str(pair["n"].iloc[0])]
        rows.append(about + cells.get("pearson", ["–"] * 4) + cells.get("spearman", ["–"] * 4))
    return Section(name, title, note, Table(columns, rows))


def _estimate(row: pd.Series) -> list[str]:
    bounds = [words.interval(row[f"{how}_low"], row[f"{how}_high"]) for how in ("fisher", "family")]
    return [words.number(row["r"]), *bounds, words.p_value(row["q"])]


def fits(tables: list[tuple[str, pd.DataFrame]]) -> Section:
    """Straight line and logarithm side by side."""
    columns = [Column("evidence"), Column("reading"), Column("models"), Column("benchmark"), Column("form")]
    titles = ("n", "intercept", "slope", "R²", "R² left out", "AIC", "BIC", "AICc", "log wins")
    columns += [Column(title, right=True) for title in titles]
    names = ("intercept", "slope", "r2", "loo_r2", "aic", "bic", "aicc", "log_wins")
    rows = [
        [evidence, *(str(row[name]) for name in ("reading", "modality", "benchmark", "form", "n"))]
        + [words.significant(float(row[name])) for name in names]
        for evidence, table in tables
        for _, row in table.iterrows()
    ]
    note = (
        "Performance on score, by a straight line and a logarithm. R² left out: each model predicted by the others."
        " AIC and BIC count two parameters, as printed; AICc three. Log wins: share of draws over families."
    )
    return Section("fits", "Straight line or logarithm", note, Table(columns, rows))


def agreement(table: pd.DataFrame) -> Section:
    """Pearson's r between subjects, of scores of models and of profiles over regions."""
    columns = [Column("reading"), Column("models"), Column("of"), Column("subjects"), Column("n", right=True)]
    columns += [Column("r", right=True), Column("Fisher", right=True)]
    rows = [
        [
            *(str(row[name]) for name in ("reading", "modality", "of", "pair", "n")),
            f"{row['r']:.3f}".replace("-", "−"),
            words.interval(row["low"], row["high"], 3),
        ]
        for _, row in table.iterrows()
        if np.isfinite(row["r"])
    ]
    note = (
        "Agreement of the released scores is high even where nothing but chance is at work, since the chance level of "
        "a model is nearly the same in every subject; only the calibrated rows speak of shared biology."
    )
    return Section("subjects", "Agreement between subjects", note, Table(columns, rows))
