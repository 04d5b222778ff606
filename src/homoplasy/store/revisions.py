"""Results as they stand in the working copy, in a revision, or in an experiment: DVC finds them in its cache."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from homoplasy.errors import BadRequest, WorkFailed, listing, nearest

WORKSPACE = "workspace"


@dataclass(frozen=True, eq=False)
class Revision:
    """The files of the project as they were; `files` is DVC's view of them."""

    name: str
    files: Any

    def read(self, path: str) -> bytes | None:
        """The content of a file; None where the project had none, or this machine's cache has not."""
        from dvc.exceptions import DvcException

        try:
            return bytes(self.files.read_bytes(path))
        except (OSError, DvcException):  # not in the tree: FileNotFoundError; in the tree, not in the cache: DVC's own
            return None

    def table(self, path: str, columns: list[str]) -> pd.DataFrame | None:
        """Columns of a table, or None like `read`."""
        content = self.read(path)
        return None if content is None else pd.read_parquet(BytesIO(content), columns=columns)

    def folder(self, path: str, suffix: str) -> list[str]:
        """The files of a folder with that suffix, by name."""
        try:
            found = self.files.ls(path, detail=False)
        except OSError:
            return []
        return sorted(one for one in found if one.endswith(suffix))


@contextmanager
def revisions(names: list[str], root: Path) -> Iterator[list[Revision]]:
    """Open revisions by the names of experiments, branches, tags or commits; `workspace` is the working copy."""
    from dvc.api import DVCFileSystem
    from dvc.exceptions import NotDvcRepoError
    from dvc.repo import Repo

    try:
        repo = Repo(str(root))
    except NotDvcRepoError:
        raise BadRequest("there is no project in this folder; go into a checkout of homoplasy.") from None
    with repo:
        commits = [_commit(repo, name) for name in names]
        top = repo.root_dir
    yield [
        Revision(name, DVCFileSystem(top, rev=commit) if commit else DVCFileSystem(top))
        for name, commit in zip(names, commits, strict=True)
    ]


def _commit(repo: Any, name: str) -> str:
    """The commit of a name; empty for the working copy."""
    from dvc.scm import NoSCM, RevError, resolve_rev

    if name == WORKSPACE:
        return ""
    if isinstance(repo.scm, NoSCM):
        raise WorkFailed("this project is not under git, so it has no revisions or experiments to compare.")
    try:
        return str(resolve_rev(repo.scm, name))
    except RevError:
        known = _known(repo)
        raise BadRequest(
            f"no experiment or revision '{name}'; there are {listing(known)}, and every commit of git."
            f"{nearest(name, known)}"
        ) from None


def _known(repo: Any) -> list[str]:
    experiments = {name for found in repo.experiments.ls(all_commits=True).values() for name, _ in found}
    return [WORKSPACE, *sorted(experiments), *sorted({*repo.scm.list_branches(), *repo.scm.list_tags()})]
