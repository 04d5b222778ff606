"""What a user has agreed to and keeps on this machine only: `local.yaml`, which git ignores."""

import datetime
from contextlib import suppress
from pathlib import Path
from typing import Any

from homoplasy import written
from homoplasy.errors import BadRequest

_WRITE = "nsd: {accept_terms: true, name: Your Name, date: 2025-01-31}"
_SHOWN = 100  # characters of what somebody wrote


def signed(local: Path, at: str) -> None:
    """Go on only if the user has written down that the data agreement is signed, by whom and when."""
    fault = _fault(_section(local))
    if fault:
        raise BadRequest(
            f"these data may be used only after their agreement is signed: read and sign it at {at}, then write "
            f"into {local}: {_WRITE} (found: {fault})."
        )


def _fault(section: dict[str, Any]) -> str:
    """Say what is lacking in a signature; nothing if it is complete."""
    if not section:
        return "nothing under nsd"
    if section.get("accept_terms") is not True:
        return "accept_terms is not true"
    name = section.get("name")
    if not isinstance(name, str) or not name.strip(" .") or name.strip() == "Your Name":
        return "no name"
    return "" if isinstance(section.get("date"), datetime.date) else "no date such as 2025-01-31"


def folder(local: Path, name: str) -> Path | None:
    """Give a folder of the user's own that `local.yaml` names under `nsd`, if it does; relative to that file."""
    given = _section(local).get(name)
    if given is None:
        return None
    with suppress(OSError, ValueError, RuntimeError):  # a name too long, one with a zero in it, a home of nobody
        found = local.parent / Path(str(given)).expanduser()
        if found.is_dir():
            return found
    raise BadRequest(f"{local}: nsd.{name} is {str(given)[:_SHOWN]!r}, which is not a folder.")


def _section(local: Path) -> dict[str, Any]:
    try:
        given = written.read_yaml(local)
    except FileNotFoundError:
        return {}
    except written.Damaged:  # what it says could quote the file
        raise BadRequest(f"{local} is not valid YAML; expected a line such as {_WRITE}.") from None
    section = given.get("nsd") if isinstance(given, dict) else None
    return section if isinstance(section, dict) else {}
