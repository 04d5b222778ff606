"""How much there is to read and to score: stimuli, and the images and regions of every subject."""

from collections.abc import Sequence
from math import ceil
from pathlib import Path

from homoplasy.datasets.nsd.facts import FACTS
from homoplasy.errors import BadRequest
from homoplasy.stages import _pairs, _settings, fetch
from homoplasy.store import arrays, frames
from homoplasy.tables import STIMULI

_VOXELS = 225  # of a region, on average, where no brain has been read yet
_IMAGES = 0.9  # of a subject's images are its own


def sizes(root: Path) -> tuple[int, Sequence[tuple[int, Sequence[int]]]]:
    """Stimuli in all; images of each subject, and voxels of its regions: as they are, or as NSD promises."""
    brain = root / "data" / "brain"
    wanted = _settings.read(root / "params.yaml", "fetch", fetch.Settings)
    here = wanted.dataset != "nsd" or (root / "data" / "raw" / "nsd" / "MANIFEST.json").exists()
    patterns = [arrays.Container(path, "patterns") for path in _pairs.patterns(brain)] if here else []
    if patterns:
        regions = [[one.shape(name)[1] for name in one.names()] for one in patterns]
        stimuli = len(frames.read(brain / "stimuli.parquet", STIMULI, ["stimulus_id"]))
        return stimuli, [(len(one.stimulus_ids), voxels) for one, voxels in zip(patterns, regions, strict=True)]
    if wanted.dataset != "nsd":
        raise BadRequest("there are no patterns under data/brain yet, and only NSD promises how many; run dvc repro.")
    share = wanted.sessions / FACTS.sessions
    seen = [ceil(FACTS.people[one].seen[0] * share) for one in wanted.subjects if one in FACTS.people]
    own = sum(round(one * _IMAGES) for one in seen)
    return own + FACTS.shared, [(round(one * _IMAGES), [_VOXELS] * FACTS.regions) for one in seen]
