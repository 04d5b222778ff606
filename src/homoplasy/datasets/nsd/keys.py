"""Where every file lies, below the root of the bucket and of a tree alike."""

from homoplasy.datasets.nsd.facts import FACTS
from homoplasy.errors import BadRequest, listing, nearest

BETA_VERSIONS = ("betas_assumehrf", "betas_fithrf", "betas_fithrf_GLMdenoise_RR")
BETA_SUFFIXES = {"hdf5": "hdf5", "nifti": "nii.gz"}
SIDES = ("", "lh.", "rh.")  # the label volumes: both hemispheres, left, right

DESIGN = "nsddata/experiments/nsd/nsd_expdesign.mat"
STIMULUS_TABLE = "nsddata/experiments/nsd/nsd_stim_info_merged.csv"
LABELS = "nsddata/freesurfer/fsaverage/label/HCP_MMP1.mgz.ctab"
PICTURES = "nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5"
CAPTIONS = {
    split: f"nsddata_stimuli/stimuli/nsd/annotations/captions_{split}.json" for split in ("train2017", "val2017")
}


def subject(number: int) -> str:
    """Spell a subject as its folder is called.

    >>> subject(1)
    'subj01'
    """
    return f"subj{number:02d}"


def responses(number: int) -> str:
    """The behaviour of a subject, one row a trial."""
    return f"nsddata/ppdata/{subject(number)}/behav/responses.tsv"


def volume(number: int, name: str) -> str:
    """A volume of the anatomy: brainmask, signaldropout."""
    return f"nsddata/ppdata/{subject(number)}/func1pt8mm/{name}.nii.gz"


def atlas(number: int, side: str = "") -> str:
    """The label volume of HCP-MMP1; `side` is empty for both hemispheres, else `lh.` or `rh.`."""
    return volume(number, f"roi/{side}HCP_MMP1")


def surface_labels(hemisphere: str) -> str:
    """The areas on the surface fsaverage, for pictures of the cortex; `hemisphere` is lh or rh."""
    return f"nsddata/freesurfer/fsaverage/label/{hemisphere}.HCP_MMP1.mgz"


def ncsnr(number: int, version: str) -> str:
    """The noise-ceiling SNR that NSD ships for a beta version."""
    return f"{_betas(number, version)}/ncsnr.nii.gz"


def betas(number: int, session: int, version: str, form: str) -> str:
    """The single-trial responses of one session (1-based)."""
    if form not in BETA_SUFFIXES:
        raise BadRequest(f"no beta format '{form}'; NSD has {listing(BETA_SUFFIXES)}.{nearest(form, BETA_SUFFIXES)}")
    return f"{_betas(number, version)}/betas_session{session:02d}.{BETA_SUFFIXES[form]}"


def _betas(number: int, version: str) -> str:
    if version not in BETA_VERSIONS:
        raise BadRequest(
            f"no beta version '{version}'; NSD has {listing(BETA_VERSIONS)}.{nearest(version, BETA_VERSIONS)}"
        )
    return f"nsddata_betas/ppdata/{subject(number)}/func1pt8mm/{version}"


def common() -> list[str]:
    """The files that every subject needs."""
    return [DESIGN, STIMULUS_TABLE, LABELS, PICTURES, *CAPTIONS.values()]


def of_subject(number: int, sessions: int, version: str, form: str) -> list[str]:
    """The files of one subject with so many sessions."""
    anatomy = [volume(number, name) for name in ("brainmask", "signaldropout")]
    labels = [atlas(number, side) for side in SIDES]
    trials = [betas(number, session, version, form) for session in range(1, sessions + 1)]
    return [responses(number), *anatomy, *labels, ncsnr(number, version), *trials]


def needed(subjects: list[int], sessions: int, version: str, form: str) -> list[str]:
    """Every file of the real NSD that these subjects need; no more sessions than each of them held."""
    for number in subjects:
        if number not in FACTS.people:
            raise BadRequest(f"NSD has no subject {number}; it has {listing(map(str, FACTS.people))}.")
    held = {number: min(sessions, FACTS.people[number].sessions) for number in subjects}
    return common() + [key for number, count in held.items() for key in of_subject(number, count, version, form)]
