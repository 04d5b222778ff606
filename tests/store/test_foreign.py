import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from homoplasy.errors import BadData, BadRequest
from homoplasy.representation import Representation
from homoplasy.store import arrays, foreign

X = np.random.default_rng(1).standard_normal((6, 3))
IDS = np.array([5, 3, 9, 1, 0, 7])


def test_npy_rows_are_numbered_in_order(tmp_path):
    np.save(tmp_path / "x.npy", X)
    found = foreign.read(str(tmp_path / "x.npy"))
    assert np.array_equal(found.values, X)
    assert found.stimulus_ids.tolist() == list(range(6))
    assert found.facts["ids"] == "order"


def test_npz_with_one_array_needs_no_name(tmp_path):
    np.savez(tmp_path / "x.npz", layer3=X, stimulus_ids=IDS)
    found = foreign.read(str(tmp_path / "x.npz"))
    assert np.array_equal(found.values, X)
    assert found.stimulus_ids.tolist() == IDS.tolist()
    assert found.facts["ids"] == "named"


def test_one_of_several_arrays_is_named_after_a_colon(tmp_path):
    np.savez(tmp_path / "x.npz", layer3=X, layer4=X + 1)
    assert np.array_equal(foreign.read(f"{tmp_path}/x.npz:layer4").values, X + 1)
    with pytest.raises(BadRequest, match=r"holds 2 arrays \(layer3, layer4\); name one: .*x.npz:layer3"):
        foreign.read(f"{tmp_path}/x.npz")
    with pytest.raises(BadRequest, match="no array 'layer5'; it has layer3, layer4. Nearest: 'layer4'"):
        foreign.read(f"{tmp_path}/x.npz:layer5")


def test_a_colon_in_a_file_name_is_a_file_name(tmp_path):
    np.save(tmp_path / "a:b.npy", X)
    assert np.array_equal(foreign.read(str(tmp_path / "a:b.npy")).values, X)


def test_safetensors_of_others(tmp_path):
    save_file({"layer": X.astype(np.float32)}, tmp_path / "x.safetensors")
    found = foreign.read(str(tmp_path / "x.safetensors"))
    assert found.values.dtype == np.float32
    assert found.facts["ids"] == "order"


def test_our_own_container_brings_its_stimulus_ids(tmp_path):
    arrays.write(
        tmp_path / "x.safetensors", "features", [Representation(X, IDS, "blocks.0"), Representation(X, IDS, "b")]
    )
    found = foreign.read(f"{tmp_path}/x.safetensors:blocks.0")
    assert found.stimulus_ids.tolist() == IDS.tolist()
    assert np.array_equal(found.values, X)


def test_a_table_has_a_column_a_unit_and_perhaps_one_of_ids(tmp_path):
    frame = pd.DataFrame(X, columns=["u", "v", "w"])
    frame.to_parquet(tmp_path / "x.parquet")
    assert np.array_equal(foreign.read(str(tmp_path / "x.parquet")).values, X)
    words = [f"s{i}" for i in IDS]
    for ids in (words, pd.Categorical(words)):
        frame.assign(stimulus_id=ids).to_parquet(tmp_path / "x.parquet")
        found = foreign.read(str(tmp_path / "x.parquet"))
        assert found.values.shape == (6, 3)
        assert found.stimulus_ids.tolist() == words


def write(tmp_path, name, content):
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, pd.DataFrame):
        content.to_parquet(path)
    else:
        np.save(path, content)
    return str(path)


SPOILED = X.copy()
SPOILED[2, 1] = np.nan
BAD_DATA = {
    "a pickle can run code": ("x.npy", np.array([{}, 1], dtype=object)),
    "damaged or holds Python objects": ("x.npy", b"garbage"),
    "damaged or holds Python objects, which": ("x.npy", b""),
    "damaged or holds Python": ("x.npz", b"PK\x03\x04 broken"),
    "damaged, or of a type": ("x.safetensors", b"garbage"),
    "not a whole parquet file": ("x.parquet", b"garbage"),
    "expected numbers, found values of type <U1": ("x.npy", np.array([["a", "b"]])),
    "expected numbers, found values of type complex128": ("x.npy", X * 1j),
    r"two axes \(stimuli, units\), found shape \(6,\)": ("x.npy", X[:, 0]),
    r"found shape \(6, 3, 1\); reshape it so that each stimulus is one row": ("x.npy", X[..., None]),
    "1 values are NaN or infinite, the first in row 2, column 1": ("x.npy", SPOILED),
    "columns of numbers, one a unit, .* found caption": ("x.parquet", pd.DataFrame({"u": [1.0], "caption": ["a"]})),
    "ids that are whole numbers or words, found list": (
        "x.parquet",
        pd.DataFrame({"u": [1.0, 2.0], "stimulus_id": [[1], [2]]}),
    ),
    "columns of numbers.* found no unit": ("x.parquet", pd.DataFrame({"stimulus_id": [1, 2]})),
}


@pytest.mark.parametrize("sentence", BAD_DATA)
def test_a_bad_file_is_one_sentence(tmp_path, sentence):
    with pytest.raises(BadData, match=sentence):
        foreign.read(write(tmp_path, *BAD_DATA[sentence]))


def test_an_array_and_an_archive_under_each_others_names(tmp_path):
    np.save(tmp_path / "a.npy", X)
    np.savez(tmp_path / "b.npz", a=X)
    (tmp_path / "a.npy").rename(tmp_path / "a.npz")
    (tmp_path / "b.npz").rename(tmp_path / "b.npy")
    with pytest.raises(BadData, match=r"a single array under another name; let its name end in \.npy"):
        foreign.read(str(tmp_path / "a.npz"))
    with pytest.raises(BadData, match=r"an archive of arrays under another name; let its name end in \.npz"):
        foreign.read(str(tmp_path / "b.npy"))


def test_object_arrays_inside_an_archive_are_refused_too(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.array([{}], dtype=object))
    with pytest.raises(BadData, match="a pickle can run code"):
        foreign.read(str(tmp_path / "x.npz"))


def test_brain_floats_are_refused_with_advice(tmp_path):
    import torch
    from safetensors.torch import save_file as save

    save({"a": torch.ones(4, 2, dtype=torch.bfloat16)}, str(tmp_path / "x.safetensors"))
    with pytest.raises(BadData, match="save float32"):
        foreign.read(str(tmp_path / "x.safetensors"))


def test_what_is_asked_for_wrongly(tmp_path):
    np.save(tmp_path / "x.npy", X)
    (tmp_path / "x.csv").write_text("1,2")
    with pytest.raises(BadRequest, match=r"expected a file that ends in \.npy, \.npz, \.safetensors, \.parquet"):
        foreign.read(str(tmp_path / "x.csv"))
    with pytest.raises(BadRequest, match="is not there; check the path"):
        foreign.read(str(tmp_path / "y.npy"))
    with pytest.raises(BadRequest, match="one array without a name; leave ':layer' out"):
        foreign.read(f"{tmp_path}/x.npy:layer")


def test_ids_are_lines_of_text(tmp_path):
    (tmp_path / "ids.txt").write_text("7\n3\n\n12\n")
    assert foreign.read_ids(tmp_path / "ids.txt").tolist() == [7, 3, 12]
    (tmp_path / "ids.txt").write_text("a dog\na cat\n")
    assert foreign.read_ids(tmp_path / "ids.txt").tolist() == ["a dog", "a cat"]
    (tmp_path / "ids.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadData, match="is not text"):
        foreign.read_ids(tmp_path / "ids.txt")
    with pytest.raises(BadRequest, match="is not there"):
        foreign.read_ids(tmp_path / "none.txt")


def test_ids_that_no_number_of_64_bits_holds_are_words(tmp_path):
    (tmp_path / "ids.txt").write_text("1\n" + "9" * 5000 + "\n")
    assert foreign.read_ids(tmp_path / "ids.txt").dtype.kind == "U"


def test_strange_ids_of_a_container_are_refused(tmp_path):
    notes = {"homoplasy": '{"stimulus_ids": [1, [2]]}'}
    save_file({"a": np.ones((2, 2))}, tmp_path / "a.safetensors", notes)
    with pytest.raises(BadData, match="expected stimulus_ids that are a list"):
        foreign.read(str(tmp_path / "a.safetensors"))
