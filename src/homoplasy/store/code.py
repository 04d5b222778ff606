"""A fingerprint of the code that makes something: a comment does not move it, a changed line does."""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_SOURCE = Path(__file__).resolve().parents[2]
# What people are told changes no number; the face of the package holds lazy names that nothing inside it uses.
_APART = ("errors", "progress")


@cache
def fingerprint(module: str, source: Path = _SOURCE) -> str:
    """SHA-256 of the syntax trees of a module and of all that it imports from its own package.

    Docstrings are left out, and comments and layout are no part of a syntax tree. Imports are read, not run.
    """
    found = hashlib.sha256()
    for name, path in sorted(closure(module, source).items()):
        found.update(f"{name}\n{normalised(path.read_text(encoding='utf-8'))}\n".encode())
    return found.hexdigest()


def closure(module: str, source: Path = _SOURCE) -> dict[str, Path]:
    """The files of a module, of the packages around it, and of all that these import from the same package."""
    package = module.partition(".")[0]
    apart = {package, *(f"{package}.{name}" for name in _APART)}
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _file(name, source)
        if path is None or name in found or name in apart or not name.startswith(f"{package}."):
            continue
        found[name] = path
        waiting += [name.rpartition(".")[0], *_imported(ast.parse(path.read_text(encoding="utf-8")))]
    return found


def normalised(text: str) -> str:
    """The syntax tree of some code, docstrings left out."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and _documented(node):
            node.body = node.body[1:]
    return ast.dump(tree, annotate_fields=False)


def _documented(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return ast.get_docstring(node, clean=False) is not None


def _imported(tree: ast.Module) -> Iterator[str]:
    """Every name that may be a module; a name that is none has no file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _file(module: str, source: Path) -> Path | None:
    """The file of a module; None for what is none."""
    base = source.joinpath(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)
