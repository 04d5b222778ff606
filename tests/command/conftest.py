"""What tests of the command share: a call of it as the shell makes it, and a copy of the repository's choices."""

import sys

import pytest

from homoplasy.command import main
from tests.stages.conftest import choices

__all__ = ["choices"]


@pytest.fixture
def call(monkeypatch, capsys):
    """Run the command as the shell would: exit code, standard output, standard error."""

    def called(*words):
        monkeypatch.setattr(sys, "argv", ["homoplasy", *words])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        said = capsys.readouterr()
        return code, said.out, said.err

    return called
