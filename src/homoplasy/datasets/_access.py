"""The way to the real NSD: its agreement first, then the files that the chosen trials need, from a bucket."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homoplasy.datasets import _agreement, _mirror
from homoplasy.datasets._bucket import Bucket
from homoplasy.datasets._mirror import Own, Plan
from homoplasy.datasets.nsd import keys
from homoplasy.datasets.nsd.facts import FACTS
from homoplasy.datasets.performance import known
from homoplasy.errors import BadRequest
from homoplasy.progress import say

_ZIP = "http://images.cocodataset.org/annotations/annotations_trainval2017.zip"


@dataclass(frozen=True)
class Access:
    """Which trials are wanted, from which bucket, into which folder, and the user's `local.yaml`."""

    request: Mapping[str, Any]  # subjects, sessions, beta_version, beta_format
    bucket: str
    region: str
    anonymous: bool
    root: Path
    local: Path

    def download(self) -> None:
        """Make the folder hold exactly the files of the request; do nothing when it does already."""
        _agreement.signed(self.local, FACTS.agreement)
        with self._plan() as (todo, bucket):
            if _mirror.settled(self.root, todo, self._about):
                say(f"fetch: {len(todo.whole)} files of NSD in {self.root} are whole and as asked; nothing to do")
                return
            say(f"fetch: {todo.summary(self.root)}")
            made = _mirror.carry_out(todo, self.root, bucket, self._about)
        size = _mirror.spoken(sum(file.size for file in made.files.values()))
        say(f"fetch: {self.root} holds {len(made.files)} files of NSD, {size}; cite {FACTS.citations['data']}")

    def dry_run(self) -> None:
        """List what a download would take, and take nothing."""
        with self._plan() as (todo, _):
            for line in todo.lines():
                say(line)
            say(f"fetch: {todo.summary(self.root)} This was a dry run; the agreement is at {FACTS.agreement}")

    @property
    def _about(self) -> tuple[str, Mapping[str, Any]]:
        return "nsd", self.request

    @contextmanager
    def _plan(self) -> Iterator[tuple[Plan, Bucket]]:
        needed = _needed(self.request)
        own = Own(
            tuple(keys.CAPTIONS.values()),
            _agreement.folder(self.local, "captions"),
            f"unpack {_ZIP} and write its folder of captions_train2017.json into {self.local} as nsd: {{captions: …}}.",
            known.files(_agreement.folder(self.local, known.FOLDER)),
            [keys.surface_labels(hemisphere) for hemisphere in ("lh", "rh")],
        )
        with Bucket(self.bucket, anonymous=self.anonymous, region=self.region) as bucket:
            yield _mirror.plan(self.root, bucket, needed, own, "nsd"), bucket


def _needed(request: Mapping[str, Any]) -> list[str]:
    subjects, sessions = list(request["subjects"]), int(request["sessions"])
    if not subjects or len(set(subjects)) < len(subjects):
        raise BadRequest(f"fetch.subjects is {subjects}; expected at least one subject of NSD, each once.")
    if not 1 <= sessions <= FACTS.sessions:
        raise BadRequest(f"fetch.sessions is {sessions}; expected 1 to {FACTS.sessions}.")
    return keys.needed(subjects, sessions, request["beta_version"], request["beta_format"])
