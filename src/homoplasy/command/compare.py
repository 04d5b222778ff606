"""homoplasy compare: two experiments side by side."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from homoplasy.report.comparison import Run
    from homoplasy.store.revisions import Revision

EXAMPLE = "homoplasy compare main workspace"
_CLAIMS = "data/tables/convergence/claims/claims.json"
_SCORES = "data/tables/convergence/stats/model_scores.parquet"
_COLUMNS = ["model", "modality", "reading", "params", "score", "null_score", "performance", "counted"]


def run(
    a: Annotated[str, typer.Argument(metavar="A", help="An experiment, branch, tag or commit, or 'workspace'.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The other one.")] = "workspace",
    page: Annotated[
        Path | None, typer.Option("--page", help="Write a page with the figures of both overlaid, one HTML file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a script.")] = False,
) -> None:
    """Show what differs between two runs: settings in force, verdicts and numbers of the claims, metrics."""
    from homoplasy.report import comparison, comparison_page
    from homoplasy.store import files
    from homoplasy.store.revisions import revisions

    with revisions([a, b], Path.cwd()) as found:
        one, other = (collected(each) for each in found)
    result = comparison.compare(one, other)
    if page is not None:
        files.write_text(page, comparison_page.page(one, other, result))
    typer.echo(json.dumps(result.plain(), indent=1) if as_json else "\n".join(comparison.lines(result)))
    if page is not None and not as_json:
        typer.echo(f"\nThe figures of both are in {page}")


def collected(revision: "Revision") -> "Run":
    """Read what a revision has; what its cache has not is said."""
    import yaml

    from homoplasy.report.comparison import Run, flat

    settings: dict[str, Any] = {}
    for path in revision.folder("settings", ".yaml"):
        settings |= flat(yaml.safe_load(revision.read(path) or b"") or {})
    chosen = flat(yaml.safe_load(revision.read("params.yaml") or b"") or {})
    about = {name: chosen[name] for name in ("world", "preset") if name in chosen}
    metrics, ledger = (revision.read(path) for path in ("metrics.json", _CLAIMS))
    scores = revision.table(_SCORES, _COLUMNS)
    there = {"settings": settings, "metrics.json": metrics, _CLAIMS: ledger, _SCORES: scores is not None}
    return Run(
        revision.name,
        about | settings if settings else {},
        {name: value for name, value in chosen.items() if value is not None},
        json.loads(metrics or b"{}"),
        json.loads(ledger or b'{"claims": []}')["claims"],
        scores,
        [f"{path} is not at hand (dvc repro makes it, dvc pull fetches it)" for path, has in there.items() if not has],
    )
