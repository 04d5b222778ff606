"""Both branches of the compatibility module, each in an interpreter of its own."""

import subprocess
import sys

import pytest

FITS = """
import torch
torch.ops.load_library = lambda path: None
import homoplasy.models
from homoplasy.models._torchvision import ensure
assert ensure() is False and ensure() is False
"""
DOES_NOT_FIT = """
import torch
def refuse(path):
    raise OSError("built for another torch")
torch.ops.load_library = refuse
import homoplasy.models
from homoplasy.models._torchvision import ensure
assert ensure() is True and ensure() is True
for operator in ("nms", "qnms"):
    assert hasattr(torch.ops.torchvision, operator), operator
"""
ABSENT = """
import importlib.util
importlib.util.find_spec = lambda name: None
from homoplasy.models._torchvision import ensure
assert ensure() is False
"""
IMPORTS = "import homoplasy.models, timm, torchvision, transformers; transformers.GPTNeoXForCausalLM"


@pytest.mark.parametrize("code", [FITS, DOES_NOT_FIT, ABSENT, IMPORTS], ids=["fits", "does not", "absent", "imports"])
def test_branch(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
