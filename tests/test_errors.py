from homoplasy.errors import BadData


def test_what_a_sentence_quotes_stays_on_its_line_and_short():
    assert str(BadData("found 'a\nb\u2028c\x00'.")) == "found 'a b c '."
    long = str(BadData(f"found {'9' * 5000}; fetch it again."))
    assert len(long) < 1000
    assert long.endswith("fetch it again.")
