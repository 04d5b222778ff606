"""The page of commands: every command of `homoplasy` with its options, as typer has them, and what `make` can do."""

import inspect
import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer

from homoplasy.command import app
from tests.conftest import ROOT
from tests.docs.markdown import code, table

HEAD = """# Commands

Exit codes: 0, or 1 (the work failed), or 2 (the request was wrong); an error is one sentence. `--help` says the same as
this page.
"""
_KINDS = {int: "whole number", float: "number", str: "text", Path: "file", bool: ""}


def page() -> str:
    """The whole page."""
    commands = typer.main.get_command(app).commands
    return "\n".join([HEAD, *(_command(name, one) for name, one in sorted(commands.items())), _make(), _stages()])


def _command(name: str, command: Any) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    rows = [_row(one) for one in command.params if one.name != "help"]
    words = ["homoplasy", name, *(_word(one) if one.required else f"[{_word(one)}]" for one in arguments)]
    usage = f"`{' '.join(words)}{' [OPTIONS]' if len(rows) > len(arguments) else ''}`"
    example = (command.epilog or "").removeprefix("Example:").strip()
    parts = [f"## homoplasy {name}", usage, inspect.cleandoc(command.help), table(["", "takes", "meaning"], rows)]
    return "\n\n".join([*parts, *([f"```\n{example}\n```"] if example else [])]) + "\n"


def _row(one: Any) -> tuple[str, str, str]:
    word = _word(one) if one.param_type_name == "argument" else ", ".join(one.opts)
    usual = "" if one.default in (None, False, ()) else f" Without it: {one.default}."
    return code(word), _spoken(one.type_descriptor.annotation), (one.help or "") + usual


def _word(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _spoken(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is list:
        return f"{_spoken(inner[0])}, repeated"
    if origin is tuple:
        return " and ".join(_spoken(one) for one in inner)
    if origin is Literal:
        return ", ".join(map(code, inner))
    return _KINDS.get(annotation, "text")


def _make() -> str:
    targets = re.findall(r"(?m)^([a-z]+):[^\n]*?##\s*(.+)$", (ROOT / "Makefile").read_text())
    return "## make\n\n" + table(["target", "what it does"], [(code(f"make {name}"), said) for name, said in targets])


def _stages() -> str:
    """The first lines of the modules that DVC runs."""
    modules = sorted(path for path in (ROOT / "src/homoplasy/stages").glob("[a-z]*.py"))
    rows = [(code(path.stem), _first_line(path)) for path in modules]
    about = "DVC runs `python -m homoplasy.stages.STAGE` with the paths that `dvc.yaml` names; `--help` lists them."
    return f"\n## Stages\n\n{about}\n\n{table(['stage', 'what it does'], rows)}\n"


def _first_line(path: Path) -> str:
    return path.read_text().split('"""')[1].split("\n\n")[0].partition(": ")[2]
