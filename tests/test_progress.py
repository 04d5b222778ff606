import pytest

from homoplasy import progress


def test_off_a_terminal_short_work_is_quiet(capsys):
    assert list(progress.track(range(3), "things")) == [0, 1, 2]
    assert capsys.readouterr().err == ""


def test_off_a_terminal_long_work_speaks_in_lines(capsys, monkeypatch):
    clock = iter(range(0, 1000, 30))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    list(progress.track(iter("abcd"), "letters", total=4))
    assert capsys.readouterr().err.splitlines() == [
        "  letters: 1/4",
        "  letters: 2/4, about 60 s left",
        "  letters: 3/4, about 30 s left",
    ]


@pytest.mark.parametrize(("seconds", "said"), [(50, "50 s"), (400, "7 min"), (50_000, "14 h")])
def test_a_time_is_said_as_people_say_it(seconds, said):
    assert progress.duration(seconds) == said
