"""The tables of the page: correlations, chance, regions, models that failed."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from homoplasy.report import lookup, words


class Column(NamedTuple):
    """A heading; numbers stand to the right, long words may wrap."""

    title: str
    right: bool = False
    wrap: bool = False


class Table(NamedTuple):
    """Cells as text."""

    columns: list[Column]
    rows: list[list[str]]


class Section(NamedTuple):
    """A table under its heading, with what to know before reading it; its name is that of its files."""

    name: str
    title: str
    note: str
    table: Table

    def files(self) -> dict[str, bytes]:
        """The table as CSV and, for a paper, as LaTeX (booktabs)."""
        frame = pd.DataFrame(self.table.rows, columns=[column.title for column in self.table.columns])
        csv = frame.to_csv(index=False, lineterminator="\n")
        return {f"{self.name}.csv": csv.encode(), f"{self.name}.tex": latex(self).encode()}


_TEX = str.maketrans(
    {"&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}",
     "^": r"\textasciicircum{}", "\\": r"\textbackslash{}", "−": "$-$", "×": r"$\times$", "ρ": r"$\rho$",
     "σ": r"$\sigma$", "≤": r"$\le$", "±": r"$\pm$", "–": "--"}
    | {power: f"$^{{{digit}}}$" for digit, power in zip("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹", strict=True)} | {"⁻": "$^{-}$"}
)  # fmt: skip


def latex(section: Section) -> str:
    """A table for a paper; it asks for the package booktabs."""
    table = section.table
    shape = "".join("r" if column.right else "p{4cm}" if column.wrap else "l" for column in table.columns)
    lines = [[column.title for column in table.columns], *table.rows]
    head, *body = [" & ".join(cell.translate(_TEX) for cell in line) + r" \\" for line in lines]
    return "\n".join(
        [
            f"% {section.title}. {section.note}",
            rf"\begin{{tabular}}{{{shape}}}",
            r"\toprule",
            head,
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def correlations(table: pd.DataFrame) -> Section:
    """Every correlation of the two main readings, with both intervals; Pearson's and Spearman's on one row."""
    columns = [Column("models"), Column("what", wrap=True), Column("n", right=True)]
    for letter in ("r", "ρ"):
        columns += [Column(letter, right=True), Column("Fisher", right=True), Column("families", right=True)]
        columns += [Column("p", right=True)]
    shown = table[~table["reading"].str.endswith(".all") & table["r"].notna()]
    rows = []
    for _, pair in shown.groupby(["reading", "modality", "x", "y", "given"], sort=False):
        cells = {row["method"]: _estimate(row) for _, row in pair.iterrows()}
        one = pair.iloc[0]
        about = [f"{one['modality']}, {one['reading']}", words.pair(one["x"], one["y"], one["given"]), str(one["n"])]
        rows.append(about + cells.get("pearson", ["–"] * 4) + cells.get("spearman", ["–"] * 4))
    hows = "; ".join(sorted({how for how in shown["interval"] if how}))
    note = (
        "Pearson's r and Spearman's ρ, each with two 95 % intervals: on Fisher's scale, which takes models for "
        "independent, and by drawing whole families of models anew"
    )
    return Section("correlations", "Correlations", f"{note} ({hows})." if hows else f"{note}.", Table(columns, rows))


def _estimate(row: pd.Series) -> list[str]:
    bounds = [words.interval(row[f"{how}_low"], row[f"{how}_high"]) for how in ("fisher", "family")]
    return [words.number(row["r"]), *bounds, words.p_value(row["p"])]


def chance(table: pd.DataFrame) -> Section:
    """How far all scores of a reading lie from what chance gives."""
    columns = [Column("reading"), Column("models"), Column("scores", right=True)]
    columns += [Column("sd of z", right=True), Column("largest |z|", right=True)]
    rows = [
        [
            row["reading"],
            row["modality"],
            f"{row['scores']:,}",
            words.number(row["z_sd"]),
            words.number(row["z_max"], 1),
        ]
        for _, row in table.iterrows()
    ]
    note = (
        "z is the distance of a score from its chance mean, in standard deviations of chance, over all layers, regions "
        "and subjects. Where models share nothing with the brain its sd is 1."
    )
    return Section("chance", "Distance from chance", note, Table(columns, rows))


_COUNTS = ("voxels_labelled", "voxels", "voxels_constant", "voxels_dropout", "voxels_unreliable")


def regions(table: pd.DataFrame) -> Section:
    """Voxels kept and left out, a row a region, means over subjects."""
    pooled = lookup.pooled(table)
    known = pooled[pooled["voxels_labelled"] > 0]
    titles = ("labelled", "kept", "constant", "dropout", "unreliable")
    columns = [Column("region"), Column("network"), *(Column(title, right=True) for title in titles)]
    columns += [Column("ncsnr", right=True), Column("ceiling", right=True), Column("left out because", wrap=True)]
    rows = []
    for region, group in known.groupby("region", sort=False):
        reasons = ", ".join(f"{reason} ({count})" for reason, count in _reasons(group))
        cells = [f"{group[name].mean():.0f}" for name in _COUNTS]
        cells += [_mean(group["ncsnr"]), words.number(lookup.ceiling(group["ceiling"])), reasons]
        rows.append([str(region), str(group["network"].iloc[0]), *cells])
    subjects = known["subject"].nunique()
    note = f"Voxels a region, mean over {words.count(subjects, 'subject')}; in brackets, in how many it was left out."
    return Section("regions", "Regions", note if rows else "This world has no brain data.", Table(columns, rows))


def failures(models: pd.DataFrame, model_scores: pd.DataFrame) -> Section:
    """Models without features, and models without a score, each with the reason."""
    lost = models.loc[models["reason"] != "", ["model", "reason"]].assign(what="no features")
    main = model_scores[~model_scores["reading"].str.endswith(".all")]
    none = main[(main["reason"] != "") & ~main["model"].isin(lost["model"])]
    none = none.groupby(["model", "reason"], sort=False)["reading"].agg(", ".join).reset_index()
    none["what"] = "no " + none["reading"] + " score"
    lines = sorted(pd.concat([lost, none])[["model", "what", "reason"]].to_numpy(object).tolist())
    columns = [Column("model"), Column("lacks"), Column("reason", wrap=True)]
    note = f"{words.count(len(lines), 'entry')}. They are in no correlation." if lines else "Every model was scored."
    return Section("missing", "Models that are missing, and why", note, Table(columns, lines))


def _reasons(group: pd.DataFrame) -> list[tuple[str, int]]:
    counts = group.loc[group["reason"] != "", "reason"].value_counts()
    return [(str(reason), int(count)) for reason, count in counts.items()]


def _mean(values: pd.Series) -> str:
    known = values[np.isfinite(values)]
    return words.number(float(known.mean())) if len(known) else "–"
