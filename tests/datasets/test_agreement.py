"""Nothing is downloaded before the user has written down that the agreement is signed."""

import json

import pytest

from homoplasy.datasets import _agreement
from homoplasy.errors import BadRequest

SIGNED = "nsd: {accept_terms: true, name: Ada Lovelace, date: 2025-01-31}"


def test_a_signed_agreement_is_accepted(tmp_path):
    (tmp_path / "local.yaml").write_text(SIGNED)
    _agreement.signed(tmp_path / "local.yaml", "https://example.org")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (None, "nothing under nsd"),
        ("", "nothing under nsd"),
        ("- nsd", "nothing under nsd"),
        ("nsd: yes", "nothing under nsd"),
        ("nsd: {accept_terms: false, name: A, date: 2025-01-31}", "accept_terms is not true"),
        ("nsd: {accept_terms: 'true', name: A, date: 2025-01-31}", "accept_terms is not true"),
        ("nsd: {name: A, date: 2025-01-31}", "accept_terms is not true"),
        ("nsd: {accept_terms: true, date: 2025-01-31}", "no name"),
        ("nsd: {accept_terms: true, name: ..., date: 2025-01-31}", "no name"),
        ("nsd: {accept_terms: true, name: Your Name, date: 2025-01-31}", "no name"),
        ("nsd: {accept_terms: true, name: A}", "no date"),
        ("nsd: {accept_terms: true, name: A, date: soon}", "no date"),
    ],
)
def test_anything_less_is_refused_with_where_to_sign_and_what_to_write(tmp_path, text, fault):
    local = tmp_path / "local.yaml"
    if text is not None:
        local.write_text(text)
    with pytest.raises(BadRequest) as refusal:
        _agreement.signed(local, "https://example.org")
    sentence = str(refusal.value)
    assert fault in sentence
    assert "sign it at https://example.org" in sentence
    assert f"{local}: nsd: {{accept_terms: true, name:" in sentence
    assert refusal.value.exit_code == 2


def test_a_file_that_is_not_yaml_says_so_without_showing_it(tmp_path):
    (tmp_path / "local.yaml").write_text("nsd: {secret")
    with pytest.raises(BadRequest, match="is not valid YAML") as refusal:
        _agreement.signed(tmp_path / "local.yaml", "https://example.org")
    assert "secret" not in str(refusal.value)


def test_a_folder_of_the_users_own(tmp_path):
    local = tmp_path / "local.yaml"
    local.write_text("nsd: {captions: coco}")
    with pytest.raises(BadRequest, match=r"nsd\.captions is 'coco', which is not a folder"):
        _agreement.folder(local, "captions")
    for name in ("9" * 5000, "a\0b", "~nobody-of-that-name/coco"):
        local.write_text(json.dumps({"nsd": {"captions": name}}))
        with pytest.raises(BadRequest, match="which is not a folder"):
            _agreement.folder(local, "captions")
    local.write_text("nsd: {captions: coco}")
    (tmp_path / "coco").mkdir()
    assert _agreement.folder(local, "captions") == tmp_path / "coco"
    local.write_text("nsd: {}")
    assert _agreement.folder(local, "captions") is None
