"""`make replay`: a clone of this checkout with its cache, without a network and with an empty store, runs every stage.

Every output has the hash of dvc.lock, or the first that has another is named.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conftest import ROOT
from tests.e2e.checkout import Checkout

_PIPELINE = "dvc.yaml"  # the certificates have a pipeline of their own, which need not have run here
REFUSE = """
import socket
def refuse(*_):
    raise OSError("the network is sealed")
socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = refuse
"""


def sealed(of: Checkout, folder: Path) -> Checkout:
    """Clone a checkout, give it the cache of the first and an empty store, and keep the network out.

    By a namespace that has none where that is allowed, else by a socket that refuses.
    """
    clone = of.clone(folder / "checkout")
    shutil.copytree(of.root / ".dvc/cache", clone.root / ".dvc/cache")
    store = {"HOMOPLASY_STORE": str(folder / "store")}
    namespace = ("unshare", "--net", "--")
    if (
        shutil.which("unshare")
        and not subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode
    ):
        return Checkout(clone.root, store, namespace)
    (folder / "sitecustomize.py").write_text(REFUSE)
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", "")]))
    return Checkout(clone.root, store | {"PYTHONPATH": path})


def main() -> None:
    """Replay this checkout."""
    here = Checkout(ROOT)
    changed = here.run("git", "status", "--porcelain", "--untracked-files=no")
    if changed or "up to date" not in here.dvc("status", _PIPELINE):
        sys.exit("replay: commit what has changed, and run dvc repro first; a clone holds what is committed.")
    with tempfile.TemporaryDirectory(prefix="replay-") as folder:
        clone = sealed(here, Path(folder))
        clone.dvc("checkout", _PIPELINE)
        print("replay: every stage, without a network and with an empty store", flush=True)
        clone.dvc("repro", "--force")
        now, before = clone.lock(), here.lock()
    for stage, outs in before.items():
        for path, md5 in outs.items():
            if now[stage][path] != md5:
                sys.exit(f"replay: {path} of stage {stage} came out as {now[stage][path]}, dvc.lock has {md5}")
    print(f"replay: {sum(map(len, before.values()))} outputs of {len(before)} stages came out byte for byte")


if __name__ == "__main__":
    main()
