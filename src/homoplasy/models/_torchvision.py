"""Make torchvision importable beside a torch that it was not built for; idle where the two fit.

A CUDA build of torchvision cannot load its compiled part beside a CPU build of torch. It swallows that, then registers
a kernel for an operator that was never declared, and the import dies: `operator torchvision::nms does not exist`. timm
and transformers need the import, never the operators, so it is enough to declare what is missing before it happens.
"""

import importlib.util
from pathlib import Path

import torch

_SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_OPERATORS = ("nms", "qnms")
_kept: list[torch.library.Library] = []  # a library that is dropped withdraws what it declared


def ensure() -> bool:
    """Declare torchvision's operators if its compiled part does not load; tell whether that was needed."""
    if _kept:
        return True
    package = importlib.util.find_spec("torchvision")  # finds it without importing it
    if package is None or package.origin is None or _loads(Path(package.origin).parent):
        return False
    library = torch.library.Library("torchvision", "DEF")
    for operator in _OPERATORS:
        library.define(operator + _SIGNATURE)
    _kept.append(library)
    return True


def _loads(folder: Path) -> bool:
    """Whether every compiled part of the package fits this torch; a package without one has nothing to declare it."""
    extensions = sorted(folder.glob("_C*.so")) + sorted(folder.glob("_C*.pyd"))
    try:
        for extension in extensions:
            torch.ops.load_library(str(extension))
    except OSError:  # built for another torch
        return False
    return bool(extensions)
