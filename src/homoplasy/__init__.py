"""How alike two representations of the same stimuli are, and how much of it is chance.

Names are loaded on first use, so that `import homoplasy` does not wait for torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from homoplasy import measures
    from homoplasy.representation import Representation
    from homoplasy.scoring import dual_interval, resample, score

__all__ = ["Representation", "dual_interval", "measures", "resample", "score"]

_HOME = {
    "Representation": "homoplasy.representation",
    "dual_interval": "homoplasy.scoring",
    "resample": "homoplasy.scoring",
    "score": "homoplasy.scoring",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    if name == "measures":
        return importlib.import_module("homoplasy.measures")
    raise AttributeError(f"module 'homoplasy' has no attribute '{name}'; it offers {', '.join(__all__)}.")


def __dir__() -> list[str]:
    return __all__
