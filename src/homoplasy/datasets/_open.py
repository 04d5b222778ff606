"""What of a raw folder may be passed on: what is known of models, and the atlas on its template; nobody's responses.

Statistics and the report need no more than this, so that somebody who has no raw data can run them again.
"""

import shutil
from pathlib import Path

from homoplasy.datasets import _manifest, published
from homoplasy.datasets.nsd import keys
from homoplasy.datasets.performance import known

_FOLDERS = (f"{known.FOLDER}/", "pocket/evaluations/")
_FILES = {*published.KEYS, "pocket/performance.csv", keys.LABELS, *map(keys.surface_labels, ("lh", "rh"))}


def carry(raw: Path, to: Path) -> None:
    """Copy the manifest and every file of a raw folder that may be passed on, each to the path that it has there."""
    for key in (_manifest.NAME, *filter(_may, _manifest.read(raw).files)):
        (to / key).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_manifest.inside(raw, key), to / key)


def _may(key: str) -> bool:
    return key in _FILES or key.startswith(_FOLDERS)
