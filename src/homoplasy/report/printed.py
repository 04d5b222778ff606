"""The published points, analysed again: what the printed score of a model goes with, at every kernel width."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from homoplasy.report import lookup, words
from homoplasy.report.drawing import Drawing, finish
from homoplasy.report.style import ARCHITECTURES, FLOOR, INK, MODALITIES, MUTED, OTHER, WIDTH

MAIN = "sigma=36"
PLAIN = "plain transformers"
TITLE = "The published scores, analysed again"
_CAPTION = (
    "Every dot is a model as printed (Shen et al. 2025; language n = {language}, vision n = {vision}, kernel width 36)."
    " Left: the printed relation. Middle: the same scores against the width of the features, where one width is "
    "known of a model ({plain} vision transformers of one constant width). Right: Pearson's r of score and performance "
    "as it is and at equal width or size; bars are 95 % intervals, the outer bounds of Fisher's z and of {draws}."
)


class _Row(NamedTuple):
    """A modality, the group whose width is known, and what is held fixed in each."""

    modality: str
    group: str
    benchmark: str
    tests: Sequence[tuple[str, str, str]]  # modality of the table, given, label


_WIDTHS = (("width", "width"), ("width+width^2", "width, width²"), ("log_width", "ln width"))
_ROWS = (
    _Row(
        "language",
        "language",
        "Open LLM Leaderboard 2",
        [
            ("language", "", "as it is"),
            *(("language", given, f"= {label}") for given, label in _WIDTHS),
            ("language", "log_parameters", "= ln parameters"),
            ("language", "width+log_parameters", "= width, ln par."),
        ],
    ),
    _Row(
        "vision",
        PLAIN,
        "ImageNet top-1 (share)",
        [
            ("vision", "", "all: as it is"),
            ("vision", "log_parameters", "all: = ln par."),
            (PLAIN, "", "plain: as it is"),
            *((PLAIN, given, f"plain: = {label}") for given, label in _WIDTHS),
        ],
    ),
)


def figure(points: pd.DataFrame, associations: pd.DataFrame) -> Drawing | None:
    """Draw the two modalities; None where no point is known."""
    main = points[points["reading"] == MAIN]
    if main.empty:
        return None
    found = {
        test[:2]: lookup.correlation(associations, MAIN, test[0], ("score", "performance", test[1]))
        for row in _ROWS
        for test in row.tests
    }
    counts = main["modality"].value_counts()
    caption = _CAPTION.format(
        language=counts.get("language", 0),
        vision=counts.get("vision", 0),
        plain=counts.get(PLAIN, 0),
        draws=_draws(associations),
    )
    tests = [
        {"modality": modality, "given": given, "r": one.r, "low": one.low, "high": one.high, "n": one.n}
        for (modality, given), one in found.items()
    ]
    kept = ["model", "family", "architecture", "modality", "width", "parameters", "performance", "score"]
    table = pd.concat([main[kept].assign(row="model"), pd.DataFrame(tests).assign(row="correlation")])
    return finish(
        "printed", TITLE, caption, table, lambda: _drawn(main, associations, found), reading=reading(associations)
    )


def _draws(associations: pd.DataFrame) -> str:
    said = associations.loc[associations["reading"] == MAIN, "interval"].str.extract(r"of (\d+ draws)")[0].dropna()
    return f"{said.iloc[0]} of whole families" if len(said) else "families drawn anew"


def reading(associations: pd.DataFrame) -> str:
    """What the numbers of the figure say."""
    said = []
    for modality, name in (("language", "Language models"), (PLAIN, "Vision transformers of one constant width")):
        plain = lookup.correlation(associations, MAIN, modality, ("score", "performance"))
        width = lookup.correlation(associations, MAIN, modality, ("score", "width"))
        held = lookup.correlation(associations, MAIN, modality, ("score", "performance", "width"))
        if np.isnan(plain.r):
            continue
        more = "more closely with the mere width of a model's features" if width.r > plain.r else "with feature width"
        left = {1: "a positive association remains", -1: "the association turns round", 0: "no association is shown"}
        said.append(
            f"{name} (n = {plain.n}): the printed score goes with performance at r = {words.number(plain.r)}, and "
            f"{more} (r = {words.number(width.r)}). At equal width {left[held.sign]}: {held.bare()}."
        )
    whole = lookup.correlation(associations, MAIN, "vision", ("score", "performance"))
    size = lookup.correlation(associations, MAIN, "vision", ("score", "performance", "log_parameters"))
    if not np.isnan(whole.r):
        said.append(f"All vision models (n = {whole.n}): {whole.bare()}; at equal ln parameters {size.bare()}.")
    return " ".join(said)


def _drawn(main: pd.DataFrame, associations: pd.DataFrame, found: dict[tuple[str, str], lookup.Found]) -> Figure:
    fig = Figure(figsize=(WIDTH, 4.9), layout="constrained")
    grid = fig.subplots(2, 3, width_ratios=[1, 1, 1.0])
    for row, (left, middle, right) in zip(_ROWS, grid, strict=True):
        mine, known = (main[main["modality"] == name] for name in (row.modality, row.group))
        plain = lookup.correlation(associations, MAIN, row.modality, ("score", "performance"))
        wide = lookup.correlation(associations, MAIN, row.group, ("score", "width"))
        _dots(left, mine, "performance", plain, row)
        left.set_xlabel(row.benchmark)
        left.set_ylabel(f"{row.modality}: printed score", color=MODALITIES[row.modality], fontweight="bold")
        _dots(middle, known, "width", wide, row)
        _powers(middle, known["width"])
        forest(right, [(label, found[modality, given]) for modality, given, label in row.tests], row.modality)
    handles = [
        Line2D([], [], marker="o", ls="", ms=4, mew=0, color=colour, label=name)
        for name, colour in {"language model": MODALITIES["language"], **ARCHITECTURES}.items()
    ]
    fig.legend(handles=handles, loc="outside lower center", ncols=4, handletextpad=0.3)
    return fig


def _dots(ax: Axes, mine: pd.DataFrame, x: str, found: lookup.Found, row: _Row) -> None:
    vision = row.modality == "vision"
    colours = [ARCHITECTURES.get(name, OTHER) for name in mine["architecture"]] if vision else MODALITIES["language"]
    many = len(mine) > 100
    ax.scatter(mine[x], mine["score"], s=6 if many else 14, c=colours, alpha=0.6 if many else 0.9, lw=0, zorder=3)
    ax.set_title(f"by {'feature width' if x == 'width' else 'performance'}", pad=15)
    ax.annotate(found.text(), (0, 1), (0, 3), "axes fraction", textcoords="offset points", fontsize=7, color=MUTED)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.set_ylim(0, None)


def _powers(ax: Axes, widths: pd.Series) -> None:
    ax.set_xscale("log", base=2)
    ends = np.log2([widths.min(), widths.max()])
    ax.xaxis.set_major_locator(FixedLocator(list(2.0 ** np.arange(np.floor(ends[0]), np.ceil(ends[1]) + 1))))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
    ax.set_xlim(widths.min() / 1.15, widths.max() * 1.15)
    ax.set_xlabel("feature width (units)")


def forest(ax: Axes, rows: Sequence[tuple[str, lookup.Found]], modality: str) -> None:
    """Correlations with their intervals, one under the other."""
    at = np.arange(len(rows))
    for place, (_, one) in zip(at, rows, strict=True):
        clear = one.sign != 0
        ax.plot([one.low, one.high], [place, place], color=MODALITIES[modality], lw=1.3, alpha=1 if clear else 0.5)
        face = MODALITIES[modality] if clear else "none"
        ax.plot(one.r, place, marker="o", ms=4, color=MODALITIES[modality], mfc=face)
    ax.axvline(0, color=FLOOR, lw=1)
    ax.set_yticks(at, [label for label, _ in rows], color=INK)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlim(min(-0.05, *(one.low for _, one in rows if np.isfinite(one.low))) - 0.05, 1.0)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.grid(visible=False, axis="y")
    ax.set_title("score with performance")
    ax.set_xlabel("Pearson's r, 95 % interval")
