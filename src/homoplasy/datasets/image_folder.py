"""A folder of pictures with one subfolder a class, the layout that ImageNet is trained from."""

import hashlib
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from warnings import catch_warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from homoplasy.errors import BadData, BadRequest

# What the decoders of Pillow raise on files that are not theirs, or that would fill the memory.
_DAMAGE = (
    UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning, OSError, ValueError,
    SyntaxError, LookupError, TypeError, EOFError, OverflowError, MemoryError, struct.error, zlib.error,
)  # fmt: skip
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})


@dataclass(frozen=True)
class ImageFolder:
    """The pictures in the order of their paths; each is read when it is asked for."""

    root: Path
    classes: tuple[str, ...]
    paths: tuple[str, ...]

    @property
    def labels(self) -> NDArray[np.int64]:
        """The place of each picture's class in the alphabet."""
        place = {name: index for index, name in enumerate(self.classes)}
        return np.array([place[path.partition("/")[0]] for path in self.paths], dtype=np.int64)

    @property
    def digest(self) -> str:
        """SHA-256 over paths and sizes of the files: their bytes are too many to be read each time."""
        sizes = "".join(f"{path} {(self.root / path).stat().st_size}\n" for path in self.paths)
        return hashlib.sha256(sizes.encode()).hexdigest()

    def read(self, rows: NDArray[np.int64]) -> list[NDArray[np.uint8]]:
        """Read pictures (height, width, 3), each of its own size, in colour."""
        return [self._picture(self.root / self.paths[row]) for row in rows]

    def _picture(self, path: Path) -> NDArray[np.uint8]:
        try:
            with catch_warnings(action="error", category=Image.DecompressionBombWarning), Image.open(path) as opened:
                return np.asarray(opened.convert("RGB"), dtype=np.uint8)
        except _DAMAGE as damage:
            raise BadData(f"{path} is not a whole picture ({damage}); replace or delete it.") from None


def open_folder(root: Path) -> ImageFolder:
    """List a folder; it must have pictures of two classes or more."""
    if not root.is_dir():
        raise BadRequest(f"train.folder is '{root}', and there is no such folder; name one with a subfolder a class.")
    found = (path.relative_to(root) for path in root.glob("*/**/*") if path.suffix.lower() in SUFFIXES)
    paths = tuple(sorted(path.as_posix() for path in found))
    classes = tuple(sorted({path.partition("/")[0] for path in paths}))
    if len(classes) < 2:
        raise BadData(
            f"{root}: expected pictures in two subfolders or more, one a class; found {len(paths)} pictures in "
            f"{len(classes)} of them."
        )
    return ImageFolder(root, classes, paths)
