"""The errors a user sees: what was expected, what was found, what to do next."""

import difflib
from collections.abc import Iterable

_LONGEST = 1000  # characters of a sentence; what it quotes from a file may be longer


class HomoplasyError(Exception):
    """One sentence for the user; never shown with a traceback."""

    exit_code = 1

    def __init__(self, sentence: str) -> None:
        """Put what the sentence quotes on one line, and cut the middle out of one that is too long."""
        line = "".join(sign if sign.isprintable() else " " for sign in sentence)
        if len(line) > _LONGEST:
            line = f"{line[: _LONGEST // 2]} … {line[-_LONGEST // 4 :]}"
        super().__init__(line)


class WorkFailed(HomoplasyError):
    """The request was sound, but the work could not be done (a download, a disk, a model)."""


class BadData(HomoplasyError):
    """A file or an array is not what its contract promises."""


class BadRequest(HomoplasyError):
    """A setting, an address or an argument that cannot be honoured."""

    exit_code = 2


def nearest(word: str, known: Iterable[str]) -> str:
    """Name the known word closest to `word`, as a clause to append to an error.

    >>> nearest("seede", ["seed", "truth"])
    " Nearest: 'seed'."
    >>> nearest("zzz", ["seed"])
    ''
    """
    found = difflib.get_close_matches(str(word), list(map(str, known)), n=1, cutoff=0.5)
    return f" Nearest: '{found[0]}'." if found else ""


def listing(words: Iterable[str], most: int = 12) -> str:
    """Join words for an error message, cut after `most`.

    >>> listing(["a", "b", "c"], most=2)
    'a, b, … (3 in all)'
    """
    known = list(words)
    shown = ", ".join(known[:most])
    return shown if len(known) <= most else f"{shown}, … ({len(known)} in all)"
