"""What DVC knows of this checkout: which stages would run, and why."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from homoplasy.errors import BadData, BadRequest, WorkFailed, listing

if TYPE_CHECKING:
    from dvc.repo import Repo

_SAID = {"modified": "changed", "deleted": "not there"}  # what DVC says of a path, in other words


@dataclass(frozen=True)
class Stage:
    """A stage of the pipeline: whether it would run now, after another that does, or not at all."""

    name: str
    state: Literal["up to date", "would run", "would follow"]
    why: Sequence[str] = field(default_factory=tuple)


def root() -> Path:
    """The checkout that the current folder is in."""
    from dvc.repo import Repo

    with _spoken():
        return Path(Repo.find_root())


@contextmanager
def opened(checkout: Path) -> Iterator["Repo"]:
    """DVC in a checkout."""
    from dvc.repo import Repo

    with _spoken(), Repo(str(checkout)) as repo:
        yield repo


def stages() -> list[Stage] | None:
    """The stages of dvc.yaml in the order in which they run; None while another DVC command holds them."""
    from dvc.lock import LockError
    from dvc.repo import Repo

    with _spoken(), Repo() as repo:
        try:
            changed = repo.status()
        except LockError:
            return None
        return list(_stages(repo, changed))


def _stages(repo: "Repo", changed: Mapping[str, Any]) -> Iterator[Stage]:
    graph, waiting = repo.index.graph, set()
    for stage in _in_order(graph):
        if stage.path_in_repo != "dvc.yaml":  # pipelines of other folders run on their own
            continue
        said = changed.get(stage.addressing)
        if said:
            waiting.add(stage)
            yield Stage(stage.name, "would run", tuple(_reasons(stage, said)))
        elif waiting.intersection(graph.successors(stage)):  # an edge leads to what a stage depends on
            waiting.add(stage)
            yield Stage(stage.name, "would follow")
        else:
            yield Stage(stage.name, "up to date")


def _in_order(graph: Any) -> list[Any]:
    """Every stage after those that it depends on, and else as dvc.yaml lists them."""
    places = {stage: place for place, stage in enumerate(graph.nodes)}
    done: list[Any] = []
    while len(done) < len(places):
        ready = [one for one in places if one not in done and set(graph.successors(one)) <= set(done)]
        done.append(min(ready, key=lambda one: places[one]))
    return done


def _reasons(stage: Any, said: Iterable[Any]) -> Iterator[str]:
    """What has changed for a stage: its code in one word, parameters one by one, other paths by what became of them."""
    if not any(out.hash_info for out in stage.outs):  # dvc.lock has no word of it
        yield "it has never run"
        return
    if not any(out.exists for out in stage.outs):  # as in a clone; what it reads need not be named too
        yield "what it makes is not there"
        return
    for entry in said:
        if isinstance(entry, str):  # such as 'changed command'
            yield entry
            continue
        paths = {path: how for found in entry.values() for path, how in found.items() if isinstance(how, str)}
        code = {path for path in paths if path.startswith("src/")}
        if code:
            yield "code changed"
        if any(isinstance(how, dict) for found in entry.values() for how in found.values()):
            yield from _parameters(stage)
        for word in sorted({how for path, how in paths.items() if path not in code}):
            which = [path for path in paths if paths[path] == word and path not in code]
            yield f"{listing(which, 2)} {_SAID.get(word, word)}"


def _parameters(stage: Any) -> Iterator[str]:
    """Each parameter that is not what it was when the stage last ran."""
    from dvc.dependency.param import ParamsDependency

    for file in (one for one in stage.deps if isinstance(one, ParamsDependency)):
        before, now = _flat(file.hash_info.value or {}), _flat(file.read_params())
        for key in sorted(before.keys() | now.keys()):
            old, new = ("unset" if found.get(key) is None else found[key] for found in (before, now))
            if old != new:
                yield f"{file.def_path}: {key} {old} -> {new}"


def _flat(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Values by their dotted names."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= _flat(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}": value}
    return found


@contextmanager
def _spoken() -> Iterator[None]:
    """Turn what DVC raises into one sentence."""
    from dvc.exceptions import DvcException, NotDvcRepoError

    try:
        yield
    except NotDvcRepoError:
        raise BadRequest("there is no project in this folder; go into a checkout of homoplasy.") from None
    except DvcException as fault:
        words = str(fault).partition("\n")[0].rstrip(".")
        if "dvc.lock" in words:
            raise BadData(
                f"dvc.lock is damaged ({words}); restore it with git checkout dvc.lock, or delete it and run dvc "
                "repro, which takes what it can from its cache."
            ) from None
        raise WorkFailed(f"DVC cannot read this project ({words}); git diff dvc.yaml shows what was changed.") from None
    except OSError as fault:  # it writes a lock before it reads
        raise WorkFailed(f"DVC cannot work here ({fault}); homoplasy doctor says what is lacking.") from None
