import pytest

from homoplasy.written import Damaged, parse_json, read_json, read_yaml


@pytest.fixture
def put(tmp_path):
    def written(text):
        path = tmp_path / "file"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return written


def test_plain_values_are_read(put):
    assert read_yaml(put("a: [1, x, 2025-01-31]\n"))["a"][:2] == [1, "x"]
    assert read_yaml(put("a: &a {b: 1}\nc: {<<: *a, d: 2}\n"))["c"] == {"b": 1, "d": 2}
    assert read_json(put('{"a": [1, null]}')) == {"a": [1, None]}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: [", r"at line \d \("),
        ("a: 1\nb: 2\na: 3\n", r"at line 3 \(the name 'a' stands twice in one place\)"),
        ("a: 2025-13-45", r"\(a value that cannot be: month"),
        ("a: " + "9" * 5000, r"\(a value that cannot be: Exceeds the limit"),
        ("[" * 20_000, "nested too deeply"),
        ("a: &a [*a]", "holds itself"),
        ("!!python/object/apply:os.system ['true']", "could not determine a constructor"),
        ("a: \x00", "character 0 at place 3"),
        (b"a: \xff", "byte 3 is no text"),
    ],
)
def test_a_fault_of_yaml_is_one_line(put, text, why):
    with pytest.raises(Damaged, match=why) as damage:
        read_yaml(put(text))
    assert "\n" not in str(damage.value)


def test_names_that_unfold_without_end_are_refused(put):
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n"
    for last, one in zip("abcdefgh", "bcdefghi", strict=True):
        bomb += f"{one}: &{one} [{','.join([f'*{last}'] * 9)}]\n"
    with pytest.raises(Damaged, match="unfolds to more than"):
        read_yaml(put(bomb))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", r"at line 1 \("),
        ('{"a": 1, "a": 2}', "the name 'a' stands twice"),
        ("[" * 100_000, "nested too deeply"),
        ("9" * 5000, "Exceeds the limit"),
    ],
)
def test_a_fault_of_json_is_one_line(text, why):
    with pytest.raises(Damaged, match=why):
        parse_json(text)


def test_a_folder_is_damaged_and_an_absent_file_is_absent(tmp_path):
    with pytest.raises(Damaged, match="directory"):
        read_json(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_yaml(tmp_path / "absent")
