"""homoplasy models: what the layers of a model are."""

import json
from typing import Annotated

import typer

EXAMPLE = "homoplasy models timm:resnet18"


def run(
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="timm:NAME or transformers:OWNER/NAME, as in a roster.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a script.")] = False,
) -> None:
    """List the layers of a model: their names, relative depth and units; no weights are read."""
    from homoplasy.models._survey import layers_of

    found = layers_of(address)
    layers = [
        {"layer": name, "depth": place / len(found.widths), "units": width}
        for place, (name, width) in enumerate(found.widths.items(), 1)
    ]
    if as_json:
        about = {"model": address, "modality": found.modality, "parameters": found.parameters, "layers": layers}
        typer.echo(json.dumps(about, indent=1))
        return
    typer.echo(f"{address}: {len(layers)} layers, {found.parameters / 1e6:.4g} million parameters ({found.modality})")
    longest = max(len(name) for name in found.widths)
    typer.echo(f"{'layer':<{longest}}  depth  units")
    for one in layers:
        typer.echo(f"{one['layer']:<{longest}}  {one['depth']:5.3f}  {one['units']:5}")
