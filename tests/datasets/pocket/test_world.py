import numpy as np
import pytest

from homoplasy.errors import BadRequest


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"truth": "plantd"}, r"pocket\.truth is 'plantd'; it can be planted, null, .*Nearest: 'planted'"),
        ({"seed": -1}, r"pocket\.seed is -1; expected a whole number that is not negative"),
        ({"subjects": (1, 3)}, r"fetch\.subjects is \[1, 3\]; the pocket world has betas of the subjects 1, 2, 5, 7"),
        ({"subjects": ()}, r"name at least one of them"),
        ({"subjects": (1, 1)}, r"each once"),
        ({"sessions": 0}, r"fetch\.sessions is 0; the pocket world has 1 to 10 sessions"),
        ({"sessions": 11}, r"1 to 10"),
        ({"beta_version": "betas_b3"}, r"fetch\.beta_version is 'betas_b3'"),
        ({"beta_format": "mgh"}, r"fetch\.beta_format is 'mgh'; it can be hdf5, nifti"),
    ],
)
def test_an_impossible_choice_gets_one_sentence(make_world, change, sentence):
    with pytest.raises(BadRequest, match=sentence):
        make_world(**change)


def test_the_short_world_lacks_the_last_session(make_world):
    assert make_world(truth="short").sessions_written == 9
    assert make_world(truth="short", sessions=4).sessions_written == 4
    assert make_world().sessions_written == 10


def test_only_the_null_world_has_models_of_other_latents(make_world):
    planted, null = make_world(), make_world(truth="null")
    assert planted.model_latents is planted.latents
    assert np.array_equal(null.latents.visual, planted.latents.visual)
    r = np.corrcoef(null.model_latents.visual.T, null.latents.visual.T)[:12, 12:]
    assert abs(r).max() < 5 / np.sqrt(1640)


def test_four_subjects_see_840_pictures(make_world):
    assert make_world().seen((1, 2, 5, 7)).size == 840
    assert make_world().seen((5,)).size == 240
