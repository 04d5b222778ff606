"""What this machine is: Python and its packages, torch and its device, memory."""

import importlib
import importlib.metadata
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from homoplasy.command._disk import closed
from homoplasy.command._line import Here, Line
from homoplasy.errors import HomoplasyError, listing

_NEWEST = (3, 14)  # Python that requirements.lock was resolved for
_INSTALL = "pip install -c requirements.lock -e '.[dev]'"
_PARCELLATE = 4e9  # bytes, of a subject of 40 sessions (benchmarks/README.md)


def python() -> Line:
    """The interpreter."""
    found = platform.python_version()
    if sys.version_info[:2] > _NEWEST:
        newest = ".".join(map(str, _NEWEST))
        return Line("python", "note", f"{found}; requirements.lock was made for 3.11 to {newest}")
    return Line("python", "ok", f"{found}; two runs are the same byte by byte on one minor version of Python")


def packages(here: Here) -> Line:
    """What is installed against requirements.lock, and what must be there at all."""
    needed = [Requirement(one) for one in importlib.metadata.requires("homoplasy") or []]
    missing = [one.name for one in needed if not one.marker and _version(one.name) is None]
    if missing:
        return Line("packages", "wrong", f"{listing(missing)} not installed", _INSTALL)
    try:
        locked = [Requirement(line) for line in (here.root / "requirements.lock").read_text().splitlines() if line]
    except (OSError, UnicodeDecodeError, InvalidRequirement) as fault:
        return Line("packages", "note", f"requirements.lock cannot be read ({fault})", "git checkout requirements.lock")
    meant = [one for one in locked if not one.marker or one.marker.evaluate()]
    other = [
        f"{one.name} {found} ({one.specifier})"
        for one in meant
        if (found := _version(one.name)) and not one.specifier.contains(found, prereleases=True)
    ]
    if other:
        return Line("packages", "note", f"other than requirements.lock says: {listing(other, 5)}", _INSTALL)
    return Line("packages", "ok", "as requirements.lock says")


def torch_() -> Line:
    """Torch, what it was built for, and where networks run."""
    import torch

    from homoplasy.stages._entry import device

    build = f"{torch.__version__}, built for {f'CUDA {torch.version.cuda}' if torch.version.cuda else 'CPUs'}"
    try:
        chosen = device()
    except HomoplasyError as fault:
        return Line("torch", "wrong", str(fault), "unset HOMOPLASY_DEVICE")
    if chosen.startswith("cuda"):
        card = torch.cuda.get_device_properties(chosen)
        return Line("torch", "ok", f"{build}; networks run on {card.name}, {card.total_memory / 2**30:.0f} GiB")
    says = f"{build}; networks run on {chosen}"
    if Path("/dev/nvidia0").exists() and "HOMOPLASY_DEVICE" not in os.environ:
        return Line("torch", "note", f"{says}, and there is a GPU", "install torch for CUDA and a driver that fits it")
    return Line("torch", "ok", says)


def torchvision() -> Line:
    """Whether timm and transformers can be imported beside this torch."""
    from homoplasy.models import _torchvision

    mended = _torchvision.ensure()
    try:
        importlib.import_module("torchvision")
    except (ImportError, RuntimeError) as fault:
        return Line("torchvision", "wrong", f"it cannot be imported ({fault})", _INSTALL)
    found = _version("torchvision")
    if mended:
        return Line("torchvision", "ok", f"{found}, built for another torch; what it lacks for that is declared here")
    return Line("torchvision", "ok", f"{found}")


def numba() -> Line:
    """Numba, and whether it can keep what it compiles."""
    from homoplasy import maths

    kept = Path(os.environ.get("NUMBA_CACHE_DIR") or Path(str(maths.__file__)).parent)
    if closed(kept):
        says = f"{_version('numba')}; {kept} cannot be written, so that every process compiles anew"
        return Line("numba", "note", says, "export NUMBA_CACHE_DIR=~/.cache/numba")
    return Line("numba", "ok", f"{_version('numba')}")


def memory(here: Here) -> Line:
    """What is there, and what scoring may take of it."""
    from homoplasy.scoring.request import Means
    from homoplasy.stages import _pairs

    total = available()
    try:
        allowed = Means.of("cpu", _pairs.allowed(), "float32").memory
    except HomoplasyError as fault:
        return Line("memory", "wrong", str(fault), "export HOMOPLASY_MEMORY=8GB")
    says = f"{total / 1e9:.0f} GB; scoring may take {allowed / 1e9:g} GB of it (HOMOPLASY_MEMORY)"
    if here.world == "nsd" and total < _PARCELLATE:
        return Line("memory", "wrong", f"{says}; parcellate needs {_PARCELLATE / 1e9:g} GB", "take a larger machine")
    if allowed > total:
        return Line("memory", "note", says, f"export HOMOPLASY_MEMORY={total / 2e9:.0f}GB")
    return Line("memory", "ok", says)


def available() -> float:
    """Bytes of memory, or fewer where this process is held to fewer."""
    total = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            total = min(total, float(Path(limit).read_text()))
        except (OSError, ValueError):  # there is none
            continue
    return total


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except PackageNotFoundError:
        return None
