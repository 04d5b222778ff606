"""Trials by voxels on disk: written a session at a time, read a block of voxels at a time.

A subject's betas (30,000 trials x 10^5 voxels, 12 GB) fit no memory, and the order in which they come (sessions) is not
the order in which they are needed (regions). So each block of voxels owns one stretch of the file, and inside it the
trials lie in their order: both ways are long sequential reads and writes.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from homoplasy.errors import WorkFailed

_FLOAT = np.dtype(np.float32)


class Trials:
    """A scratch file without a name: nothing of it stays, whatever happens to the process."""

    def __init__(self, folder: Path, trials: int, blocks: Sequence[slice]) -> None:
        self.trials, self.blocks = trials, list(blocks)
        self._folder = folder
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> "Trials":
        """Use it as a context, so that the disk is given back."""
        return self

    def put(self, block: slice, first: int, values: NDArray[np.float32]) -> None:
        """Write the values (trials, block) of some trials, the first of which is `first`."""
        width = block.stop - block.start
        try:
            self._file.seek((self.trials * block.start + first * width) * _FLOAT.itemsize)
            self._file.write(np.ascontiguousarray(values, dtype=_FLOAT).data)
            self._file.flush()
        except OSError as fault:
            voxels = self.blocks[-1].stop
            raise WorkFailed(
                f"{self._folder} cannot take the trials of one subject ({fault.strerror}): "
                f"they need {self.trials * voxels * _FLOAT.itemsize / 1e9:.1f} GB for a while; make room and run again."
            ) from None

    def get(self, block: slice) -> NDArray[np.float32]:
        """Read every trial of a block."""
        out = np.empty((self.trials, block.stop - block.start), dtype=_FLOAT)
        self._file.seek(self.trials * block.start * _FLOAT.itemsize)
        self._file.readinto(out.data.cast("B"))
        return out

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close, and so delete."""
        self._file.close()


def blocks(regions: Sequence[slice], most: int) -> list[slice]:
    """Join neighbouring regions into blocks of at most `most` voxels; a region is never split.

    >>> blocks([slice(0, 3), slice(3, 5), slice(5, 9)], most=5)
    [slice(0, 5, None), slice(5, 9, None)]
    """
    out: list[slice] = []
    for region in regions:
        if out and region.stop - out[-1].start <= most:
            out[-1] = slice(out[-1].start, region.stop)
        else:
            out.append(region)
    return out
