import shutil
from typing import Literal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from homoplasy.errors import BadRequest, HomoplasyError
from homoplasy.stages import _settings
from tests.conftest import ROOT


class Cka(_settings.Strict):
    kernel_sizes: tuple[float, ...]
    relative_sizes: tuple[float, ...]
    linear: bool
    estimators: tuple[Literal["biased", "debiased"], ...]
    images: Literal["own", "shared", "all"]
    hemispheres: str
    standardise: str
    epsilon: float = Field(ge=0, description="zero or more")
    kernel_unit: float
    precision: str
    neighbours: tuple[int, ...]
    metric: str
    halves: int
    halves_size: float
    halves_depths: tuple[float, ...]
    seed: int


@pytest.fixture
def params(tmp_path):
    """A copy of the repository's own choices, to be changed by a test."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    return tmp_path / "params.yaml"


def change(path, key, value):
    loaded = yaml.safe_load(path.read_text())
    section, _, name = key.partition(".")
    if name:
        loaded[section][name] = value
    else:
        loaded[section] = value
    path.write_text(yaml.safe_dump(loaded))


def read(params):
    return _settings.read(params, "cka", Cka)


def test_the_preset_gives_what_params_leaves_empty(params):
    assert read(params).kernel_sizes[0] == 20
    change(params, "preset", "as_released")
    assert read(params).kernel_sizes[0] == 12


def test_a_value_in_params_wins(params):
    change(params, "cka.kernel_sizes", [28, 36, 68])
    assert read(params).kernel_sizes == (28, 36, 68)


def test_the_world_speaks_too(params):
    assert read(params).kernel_unit == 0.25
    change(params, "world", "nsd")
    assert read(params).kernel_unit == 1.0


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("cka.kernal_sizes", [1], r"unknown parameter 'cka.kernal_sizes'; cka takes .*Nearest: 'kernel_sizes'"),
        ("cka.images", "none", r"parameter 'cka.images' is 'none'; expected one of 'own', 'shared', 'all'"),
        ("cka.linear", "yes", r"parameter 'cka.linear' is 'yes'; expected true or false"),
        ("cka.kernel_sizes", 28, r"parameter 'cka.kernel_sizes' is 28; expected a list of numbers"),
        ("cka.epsilon", -1.0, r"parameter 'cka.epsilon' is -1.0; expected a number, zero or more"),
        ("cka.estimators", ["debiazed"], r"parameter 'cka.estimators.0' is 'debiazed'"),
        ("world", "pockett", r"world is 'pockett'; it can be nsd, pocket, published. Nearest: 'pocket'"),
        ("preset", None, r"preset is None; it can be as_released, as_written, calibrated"),
        ("kca", {}, r"unknown section 'kca'; .*Nearest: 'cka'"),
        ("cka", 3, r"section 'cka' holds 3"),
    ],
)
def test_a_wrong_value_is_one_sentence(params, key, value, sentence):
    change(params, key, value)
    with pytest.raises(BadRequest, match=sentence) as caught:
        read(params)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_bare_null_in_a_conf_file_is_refused_with_advice(params):
    conf = params.parent / "conf/worlds/pocket.yaml"
    conf.write_text(conf.read_text().replace("kernel_unit: &kernel_unit 0.25", "kernel_unit: &kernel_unit null"))
    with pytest.raises(BadRequest, match=r"pocket.yaml: cka.kernel_unit has no value.*in quotes"):
        read(params)


def test_what_is_not_yaml_is_one_sentence(params):
    params.write_text("a: [1\nb: 2")
    with pytest.raises(BadRequest, match=r"not valid YAML at line 2"):
        read(params)
    params.write_text("- a\n- b")
    with pytest.raises(BadRequest, match="found list"):
        read(params)
    params.unlink()
    with pytest.raises(BadRequest, match="is missing"):
        read(params)


@given(text=st.text(max_size=60))
def test_any_params_file_is_read_or_refused_in_one_sentence(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("fuzz")
    shutil.copytree(ROOT / "conf", folder / "conf")
    (folder / "params.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(HomoplasyError) as caught:
        read(folder / "params.yaml")
    assert str(caught.value)


def test_the_settings_in_force_are_recorded(params, tmp_path):
    _settings.record({"cka": read(params)}, tmp_path / "cka.yaml")
    recorded = yaml.safe_load((tmp_path / "cka.yaml").read_text())
    assert recorded["cka"]["images"] == "own"
    assert recorded["cka"]["kernel_sizes"][:2] == [20, 28]
