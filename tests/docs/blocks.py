"""What the documents tell a reader to type: the command lines of their code blocks and of their text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

DOCUMENTS = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "docs").glob("[hr]*/*.md")]
)
_SHELL = {"", "sh"}  # the language of a block of commands; what they print stands in blocks called text
_BLOCK = re.compile(r"^```([\w-]*)[^\n]*\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`((?:make|dvc|homoplasy|python|git|pip|export|\.venv/bin/\w+) [^`]+)`")
_PLACEHOLDER = re.compile(r"…|<[a-z ]+>|\b[A-Z]{3,}\b(?![_=.])")  # `--flag VALUE` shows a form, and is no command


@dataclass(frozen=True)
class Block:
    """A fenced block of a document."""

    document: str
    language: str
    text: str

    @property
    def file(self) -> str:
        """The path that its first comment names, where it shows a file."""
        found = re.match(r"# ([\w./-]+\.\w+)\b", self.text)
        return found[1] if found else ""


@dataclass(frozen=True)
class Command:
    """One line for a shell."""

    document: str
    text: str


def blocks(path: Path) -> list[Block]:
    name = path.relative_to(ROOT).as_posix()
    return [Block(name, *found) for found in _BLOCK.findall(path.read_text())]


def commands(path: Path) -> list[Command]:
    """Every command of a document, once."""
    name = path.relative_to(ROOT).as_posix()
    said = [line for block in blocks(path) if block.language in _SHELL for line in _lines(block.text)]
    if path.parent.name != "reference":  # there spans show the form of commands
        said += [_plain(one) for one in _SPAN.findall(_BLOCK.sub("", path.read_text()))]
    return [Command(name, one) for one in dict.fromkeys(said) if not _PLACEHOLDER.search(one)]


def _lines(text: str) -> Iterator[str]:
    for line in text.replace("\\\n", " ").splitlines():
        yield from filter(None, map(_plain, re.sub(r"(^|\s)# .*$", "", line).split(" && ")))


def _plain(text: str) -> str:
    return " ".join(text.split())
