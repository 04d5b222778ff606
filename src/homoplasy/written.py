"""YAML and JSON that people or other programs wrote: plain values only, and every fault in one line."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

_MOST = 1_000_000  # values that a text may unfold to: names of YAML that stand for each other can unfold without end


class Damaged(ValueError):
    """What is wrong with a text: `at line 3 (why)`, or `(why)`."""

    def __init__(self, why: object, line: int | None = None) -> None:
        words = str(why).partition("\n")[0].rstrip(".")
        super().__init__(f"({words})" if line is None else f"at line {line} ({words})")


def read_yaml(path: Path) -> Any:
    """Read the value of a YAML file; no tags but those of plain values, no name twice."""
    text = _text(path)
    try:
        return _bounded(_Loader(text).get_single_data())
    except yaml.MarkedYAMLError as fault:
        raise Damaged(fault.problem, fault.problem_mark.line + 1 if fault.problem_mark else None) from None
    except yaml.reader.ReaderError as fault:
        raise Damaged(f"the character {fault.character!r} at place {fault.position}") from None
    except RecursionError:
        raise Damaged("it is nested too deeply") from None
    except (ValueError, AttributeError, OverflowError) as fault:  # a date or a number that cannot be
        raise Damaged(f"a value that cannot be: {fault}") from None


def read_json(path: Path) -> Any:
    """Read the value of a JSON file; no name twice."""
    return parse_json(_text(path))


def parse_json(text: str) -> Any:
    """Read JSON; no name twice."""
    try:
        return json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as fault:
        raise Damaged(fault.msg, fault.lineno) from None
    except RecursionError:
        raise Damaged("it is nested too deeply") from None
    except ValueError as fault:
        raise Damaged(fault) from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise
    except UnicodeDecodeError as fault:
        raise Damaged(f"byte {fault.start} is no text") from None
    except OSError as fault:
        raise Damaged(fault.strerror or fault) from None


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the name {name!r} stands twice in one place")
        found[name] = value
    return found


class _Loader(yaml.SafeLoader):
    """The safe loader, which would let the last of two equal names win without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - theirs
        seen: set[Any] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if (key.tag, key.value) in seen:
                said = f"the name {key.value!r} stands twice in one place"
                raise yaml.constructor.ConstructorError(None, None, said, key.start_mark)
            seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep=deep)


def _bounded(value: Any) -> Any:
    """The value, if it is finite when its names are unfolded, and not too large."""
    sizes: dict[int, int | None] = {}  # None while the parts of a value are looked at: meeting it again is a circle

    def size(one: Any) -> int:
        if not isinstance(one, dict | list):
            return 1
        known = sizes.get(id(one), 0)
        if known is None:
            raise ValueError("a value that holds itself")
        if not known:
            sizes[id(one)] = None
            parts = [*one, *one.values()] if isinstance(one, Mapping) else one
            known = sizes[id(one)] = 1 + sum(map(size, parts))
        return known

    if size(value) > _MOST:
        raise ValueError(f"it unfolds to more than {_MOST} values")
    return value
