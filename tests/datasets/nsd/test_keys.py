import pytest

from homoplasy.datasets.nsd import keys
from homoplasy.errors import BadRequest

VERSION = "betas_fithrf_GLMdenoise_RR"


def test_the_keys_are_those_of_the_bucket():
    assert keys.betas(1, 7, VERSION, "hdf5") == (
        "nsddata_betas/ppdata/subj01/func1pt8mm/betas_fithrf_GLMdenoise_RR/betas_session07.hdf5"
    )
    assert keys.betas(2, 40, VERSION, "nifti").endswith("/betas_session40.nii.gz")
    assert keys.atlas(5, "lh.") == "nsddata/ppdata/subj05/func1pt8mm/roi/lh.HCP_MMP1.nii.gz"
    assert keys.ncsnr(7, VERSION) == f"nsddata_betas/ppdata/subj07/func1pt8mm/{VERSION}/ncsnr.nii.gz"
    assert keys.responses(8) == "nsddata/ppdata/subj08/behav/responses.tsv"


def test_needed_lists_every_file_once_and_no_session_that_was_not_held():
    found = keys.needed([1, 3], 40, VERSION, "hdf5")
    assert len(set(found)) == len(found)
    assert sum("betas_session" in key for key in found) == 40 + 32
    assert all(key.startswith(("nsddata/", "nsddata_betas/", "nsddata_stimuli/")) for key in found)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: keys.betas(1, 1, "betas_fithrf_GLMdenoise", "hdf5"), "Nearest: 'betas_fithrf_GLMdenoise_RR'"),
        (lambda: keys.betas(1, 1, VERSION, "hdf"), "no beta format 'hdf'"),
        (lambda: keys.needed([9], 1, VERSION, "hdf5"), "NSD has no subject 9"),
    ],
)
def test_what_nsd_does_not_have_is_refused(call, sentence):
    with pytest.raises(BadRequest, match=sentence):
        call()
