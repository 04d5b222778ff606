"""The command `homoplasy`. Each command is a module: its `run` parses, calls one function and prints.

Torch is loaded when it is needed, so that help and errors do not wait for it.
"""

import sys
from types import ModuleType

import typer

from homoplasy.command import compare, doctor, models, plan, score, status
from homoplasy.errors import HomoplasyError

COMMANDS: dict[str, ModuleType] = {
    "score": score,
    "plan": plan,
    "status": status,
    "doctor": doctor,
    "compare": compare,
    "models": models,
}
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="How alike are the representations of models and brains, and how much of it is chance?",
)
for name, module in COMMANDS.items():
    app.command(name, epilog=f"Example:  {module.EXAMPLE}")(module.run)


def main() -> None:
    """Run the command; an error is one sentence, with exit code 1 (the work failed) or 2 (the request was wrong)."""
    try:
        app()
    except HomoplasyError as error:
        typer.echo(f"homoplasy: {error}", err=True)
        sys.exit(error.exit_code)
