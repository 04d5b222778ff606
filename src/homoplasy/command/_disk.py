"""What the disk of this checkout is like: room, links between files, whether it can be written."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from math import prod
from pathlib import Path

from homoplasy.command import _pipeline
from homoplasy.command._line import Here, Line
from homoplasy.errors import listing

_POCKET = 4e9  # bytes: the pocket world, its cache and its store
_CLONE = 0x40049409  # FICLONE of Linux: a copy that shares its blocks
_LINKS = "dvc config --local cache.type reflink,hardlink,copy"


def disk(here: Here) -> Line:
    """What is free, and about what the chosen world takes."""
    free = shutil.disk_usage(here.root).free
    there = (here.root / "data" / "raw" / here.world / "MANIFEST.json").exists()
    need = 0.0 if there or here.world == "published" else _size(here)
    says = f"{free / 1e9:.0f} GB free; " + (
        f"the world {here.world} takes about {need / 1e9:.0f} GB" if need else f"the data of {here.world} are here"
    )
    if free < need:
        return Line("disk", "wrong", says, "make room, or choose fewer subjects or sessions (fetch.subjects)")
    return Line("disk", "ok", says)


def _size(here: Here) -> float:
    """About how many bytes the raw data and the patterns of a world take, twice where files must be copied."""
    from homoplasy.datasets.nsd.facts import FACTS
    from homoplasy.stages import _settings, fetch

    if here.world != "nsd":
        return _POCKET
    chosen = _settings.read(here.params, "fetch", fetch.Settings)
    people = [FACTS.people[subject] for subject in chosen.subjects if subject in FACTS.people]
    trials = FACTS.trials_a_session * chosen.sessions
    betas = sum(2 * prod(one.volume) * trials for one in people)
    pictures = FACTS.pictures * prod(FACTS.picture)
    return (betas + pictures) * (1 if _linked(here) else 2)


def links(here: Here) -> Line:
    """How files pass between the cache and the workspace: shared, or copied."""
    try:
        kinds = list(_kinds(here.root / ".dvc", here.root))
    except OSError as fault:
        return Line("links", "note", f"they could not be tried ({fault.strerror})", "mend the lines above")
    if not kinds:
        return Line(
            "links", "note", "neither reflinks nor hard links work here: each file lies on the disk three times"
        )
    says = f"{'s and '.join(kinds)}s work between the cache and this folder"
    if not _linked(here):
        return Line("links", "note", f"{says}, and DVC copies: each file lies on the disk three times", _LINKS)
    return Line("links", "ok", says)


def _linked(here: Here) -> bool:
    """Whether files in the cache share their blocks with those in the workspace."""
    with _pipeline.opened(here.root) as repo:
        chosen = repo.config["cache"].get("type") or ["reflink", "copy"]
    try:
        return bool(set(chosen) & set(_kinds(here.root / ".dvc", here.root)))
    except OSError:  # nothing can be tried here
        return False


def _kinds(source: Path, target: Path) -> Iterator[str]:
    """The kinds of links that work from one folder to another."""
    with (
        tempfile.NamedTemporaryFile(dir=source) as one,
        tempfile.TemporaryDirectory(dir=target, prefix=".doctor-") as folder,
    ):
        one.write(b"x")
        one.flush()
        try:
            with (Path(folder) / "clone").open("wb") as clone:
                fcntl.ioctl(clone, _CLONE, one.fileno())
            yield "reflink"
        except OSError:
            pass
        try:
            os.link(one.name, Path(folder) / "link")
            yield "hardlink"
        except OSError:
            pass


def writing(here: Here) -> Line:
    """Whether this user may write where stages do."""
    from homoplasy.store import keyed

    with _pipeline.opened(here.root) as repo:
        cache = Path(repo.cache.local.path)
    places = {place: closed(place) for place in (here.root, here.root / ".dvc", cache, keyed.root())}
    found = {place: why for place, why in places.items() if why}
    if found:
        says = f"{listing(map(str, found))} cannot be written ({next(iter(found.values()))})"
        return Line("writing", "wrong", says, "make room there, or mend the permissions")
    return Line("writing", "ok", f"the checkout, its cache and the store ({keyed.root()}) can be written")


def closed(folder: Path) -> str:
    """Why no file can be written in a folder, or in the nearest one above it that is there; nothing where one can."""
    while not folder.exists():
        folder = folder.parent
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            file.write(b"x")
            file.flush()
    except OSError as fault:
        return fault.strerror or str(fault)
    return ""
