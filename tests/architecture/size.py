"""Lines a module and a function; it informs, it does not fail (`make size`)."""

import ast
import statistics
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src" / "homoplasy"


def functions(path: Path) -> list[int]:
    """The length in lines of every function of a module, its docstring included."""
    tree = ast.parse(path.read_text())
    return [
        (node.end_lineno or node.lineno) - node.lineno + 1
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def report() -> str:
    modules = {path: len(path.read_text().splitlines()) for path in sorted(SOURCE.rglob("*.py"))}
    filled = {path: lines for path, lines in modules.items() if lines > 5}
    lengths = sorted(length for path in filled for length in functions(path))
    ninetieth = lengths[int(0.9 * len(lengths))]
    head = (
        f"{len(filled)} modules, median {statistics.median(filled.values()):.0f} lines; "
        f"{len(lengths)} functions, median {statistics.median(lengths):.0f}, 90th percentile {ninetieth}"
    )
    longest = sorted(filled.items(), key=lambda item: -item[1])[:10]
    return "\n".join([head, *(f"{lines:6d}  {path.relative_to(SOURCE)}" for path, lines in longest)])


if __name__ == "__main__":
    print(report())
