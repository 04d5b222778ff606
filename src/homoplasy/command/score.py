"""homoplasy score: two arrays on disk, with chance beside every score."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from homoplasy.errors import BadRequest

if TYPE_CHECKING:
    import pandas as pd

    from homoplasy.representation import Representation

EXAMPLE = "homoplasy score layer3.npy V1.npy --relative 0.5 --relative 1 --json"

_NARROW = 0.9  # of the n - 1 dimensions: the floor of a biased score is then as high
_FLAT = 0.98  # mean off-diagonal entry
_ROUNDING = 1e-9  # a spread of chance below this is that of sums: every re-pairing scores the same
_EXPLAINED = """
score      1: the same geometry; 0 for a debiased score: no likeness beyond chance. It may be negative.
by chance  exact mean and standard deviation of the score when the rows of B are shuffled.
z          how many such deviations the score lies above that mean; its tails are wider than a Gaussian's.
kernel     what the kernel makes of A and of B: 'narrow' means that every stimulus is like itself alone, and a
           biased score then nears 1 whatever the data; 'flat' that the kernel is as good as linear.
Read the debiased rows first: their chance level is 0 whatever the numbers of stimuli and units."""


def run(
    a: Annotated[
        str, typer.Argument(metavar="A", help=".npy, .npz, .safetensors or .parquet; FILE:NAME picks an array.")
    ],
    b: Annotated[str, typer.Argument(metavar="B", help="The same; rows are stimuli, columns units.")],
    ids: Annotated[
        tuple[Path, Path] | None,
        typer.Option(help="Two text files, the stimulus ids of A's rows and of B's; without them rows pair in order."),
    ] = None,
    sigma: Annotated[
        list[float] | None, typer.Option(help="Absolute width of a Gaussian kernel; may be repeated.")
    ] = None,
    relative: Annotated[
        list[float] | None,
        typer.Option(help="Width as a multiple of the median distance; may be repeated (1 when no width is given)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a script.")] = False,
) -> None:
    """Score two arrays over the same stimuli by CKA, with chance beside every score."""
    left, right = _read(a, b, ids)
    table = _scores(left, right, tuple(sigma or ()), tuple(relative or (() if sigma else (1.0,))))
    typer.echo(_json(left, right, table) if as_json else _text(left, right, table))


def _read(a: str, b: str, ids: tuple[Path, Path] | None) -> tuple["Representation", "Representation"]:
    from homoplasy.store import foreign

    sides = foreign.read(a), foreign.read(b)
    if ids:
        left, right = (
            replace(side, stimulus_ids=foreign.read_ids(path), facts={"ids": "named"})
            for side, path in zip(sides, ids, strict=True)
        )
        return left, right
    left, right = sides
    if left.facts["ids"] != right.facts["ids"]:
        named, other = (a, b) if left.facts["ids"] == "named" else (b, a)
        raise BadRequest(f"{named} names its stimuli and {other} does not; give --ids for both.")
    if left.facts["ids"] == "order" and left.n_stimuli != right.n_stimuli:
        raise BadRequest(
            f"{a} has {left.n_stimuli} rows and {b} has {right.n_stimuli}; rows are paired in order, so give arrays "
            "of equal length, or --ids A_IDS B_IDS to pair them by stimulus."
        )
    return left, right


def _scores(
    left: "Representation", right: "Representation", sigma: tuple[float, ...], relative: tuple[float, ...]
) -> "pd.DataFrame":
    from homoplasy.measures import CKA
    from homoplasy.scoring import score as score_all

    kinds: list[dict[str, Any]] = [{"kernel": "linear"}]
    kinds += [{"sigma": sigma}] if sigma else []
    kinds += [{"sigma_relative": relative}] if relative else []
    measures = [CKA(**kind, debiased=debiased) for debiased in (True, False) for kind in kinds]
    table = score_all([left], [right], measures, precision="float64")
    spread = table["null_sd"].where(table["null_sd"] > _ROUNDING)
    return table.assign(z=(table["value"] - table["null_mean"]) / spread)


def _json(left: "Representation", right: "Representation", table: "pd.DataFrame") -> str:
    columns = ["measure", "params", "n", "value", "null_mean", "null_sd", "z", "reason"]
    columns += [f"{side}_{fact}" for side in ("source", "target") for fact in ("units", "offdiagonal", "pr")]
    rows = [
        {key: None if isinstance(cell, float) and not math.isfinite(cell) else cell for key, cell in row.items()}
        for row in table[columns].to_dict("records")
    ]
    return json.dumps({"a": left.address, "b": right.address, "scores": rows}, indent=2)


def _text(left: "Representation", right: "Representation", table: "pd.DataFrame") -> str:
    paired = "by row order" if left.facts["ids"] == "order" else "by stimulus id"
    head = [
        f"{mark}  {one.address}: {one.n_stimuli} stimuli x {one.n_units} units"
        for mark, one in zip("AB", (left, right), strict=True)
    ]
    columns = f"{'kernel':<22}{'score':>9}    {'by chance':<20}{'z':>7}   kernel of A, of B"
    lines = [_line(row) for row in table.to_dict("records")]
    return "\n".join(
        [*head, f"{table['n'].iloc[0]} stimuli in common, paired {paired}.", "", columns, *lines, _EXPLAINED]
    )


def _line(row: Mapping[Any, Any]) -> str:
    params = row["params"].replace("c=", "median x ").replace("sigma=", "width ")
    if row["reason"]:
        return f"{params:<22}{'none':>9}    {_REASONS.get(row['reason'], row['reason'])}"
    chance = f"{row['null_mean']:.4f} ± {row['null_sd']:.2g}"
    health = ", ".join(_health(row, side) for side in ("source", "target"))
    z = f"{row['z']:.1f}" if math.isfinite(row["z"]) else "none"
    return f"{params:<22}{row['value']:>9.4f}    {chance:<20}{z:>7}   {health}"


def _health(row: Mapping[Any, Any], side: str) -> str:
    if row["measure"] == "cka.linear":
        return "fine"  # it has no width that could be wrong
    if row[f"{side}_pr"] > _NARROW * (row["n"] - 1):
        return "narrow"
    return "flat" if row[f"{side}_offdiagonal"] > _FLAT else "fine"


_REASONS = {
    "constant_features": "all stimuli look the same in one of the files",
    "constant_kernel": "the kernel tells no stimulus from another at this width",
    "zero_median_distance": "more than half of the pairs of stimuli are identical; use an absolute width (--sigma)",
}
