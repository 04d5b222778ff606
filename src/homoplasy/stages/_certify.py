"""Pocket worlds by the dozen, through the stages themselves, each asked what every preset would announce of it.

One seed is one tree: its pictures and brains are the same in every truth, so each is generated once, and so are the
patterns of presets that agree on them. What a (truth, seed, preset) announces is one item of the keyed store.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from io import StringIO
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pandas as pd
import yaml

from homoplasy.datasets import pocket
from homoplasy.stages import _settings, cka, extract, fetch, parcellate, stats, taxonomy
from homoplasy.store import arrays, code, files, frames, keyed
from homoplasy.studies.convergence import claims
from homoplasy.studies.convergence.certificates import Scope, announcements
from homoplasy.tables import ANNOUNCEMENTS, TREE

_ANALYSED = ("parcellate", "extract", "cka", "stats", "taxonomy")  # the stages that a preset speaks of
# Of the many kernels only those that the claims ask for, under the estimator of the preset; only the calibrated reading
# chooses regions on halves of the images.
_KERNELS: Mapping[str, Mapping[str, Any]] = {
    "biased": {
        "kernel_sizes": [28, 36, 68],
        "relative_sizes": [],
        "estimators": ["biased"],
        "linear": False,
        "halves": 0,
    },
    "debiased": {"kernel_sizes": [], "relative_sizes": [0.5, 1.0, 2.0], "estimators": ["debiased"], "linear": False},
}


@dataclass(frozen=True)
class Inputs:
    """What is certified, and where the presets are."""

    stated: claims.Ledger
    scope: Scope
    conf: Path
    presets: tuple[str, ...]
    truths: tuple[str, ...]

    @cached_property
    def choices(self) -> dict[str, dict[str, Any]]:
        """Every preset as params.yaml says it: nothing changed but the kernels, and the planted models alone."""
        return {preset: self._choice(preset) for preset in self.presets}

    def _choice(self, preset: str) -> dict[str, Any]:
        sections: dict[str, Any] = {section: {} for section in _settings.SECTIONS}
        sections |= {"extract": {"roster": "planted"}, "cka": dict(_KERNELS[self.estimators[preset]])}
        return {"world": "pocket", "preset": preset, **sections}

    @cached_property
    def estimators(self) -> dict[str, str]:
        """Which estimator the brain score of a preset is of."""
        return {preset: str(_conf(self.conf, "presets", preset)["stats"]["estimator"]) for preset in self.presets}

    def said(self, preset: str) -> dict[str, Any]:
        """All that the configuration says to the stages of a preset."""
        kinds = (_conf(self.conf, "worlds", "pocket"), _conf(self.conf, "presets", preset))
        return {section: [one[section] for one in kinds] for section in ("fetch", *_ANALYSED)}


def kernel_unit(conf: Path) -> float:
    """What a kernel width of 1 in the real study is in the pocket world."""
    return float(_conf(conf, "worlds", "pocket")["claims"]["kernel_unit"])


def _conf(folder: Path, kind: str, name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((folder / kind / f"{name}.yaml").read_text(encoding="utf-8"))
    return loaded


@dataclass(frozen=True)
class Item:
    """What one preset announces of one world."""

    truth: str
    seed: int
    preset: str

    def key(self, inputs: Inputs) -> str:
        """All that decides it: the world, the settings, what is asked, and the code."""
        return keyed.key(
            {
                "announcements": [self.truth, self.seed, self.preset],
                "settings": yaml.safe_dump([inputs.said(self.preset), inputs.choices[self.preset]], sort_keys=True),
                "claims": [one.model_dump_json() for one in inputs.stated.claims if one.id in inputs.scope.certified],
                "code": code.fingerprint(__name__),
            }
        )

    def stored(self, inputs: Inputs) -> Path:
        """Where it is kept."""
        return keyed.path(self.key(inputs), ".parquet")


def items(seed: int, inputs: Inputs) -> list[Item]:
    """All items of a seed, those of one truth together."""
    return [Item(truth, seed, preset) for truth in inputs.truths for preset in inputs.presets]


def announced(seed: int, inputs: Inputs) -> list[Path]:
    """The stored announcements of a seed, made where they are not there yet."""
    wanted = {item: item.stored(inputs) for item in items(seed, inputs)}
    missing = [item for item, stored in wanted.items() if not stored.exists()]
    if missing:
        with _folder(seed) as folder:
            tree = Tree(folder, seed, inputs)
            for item in missing:
                with _apart(tree.root / "store"):
                    found = tree.announce(item)
                keyed.keep(item.key(inputs), partial(frames.write, frame=found, schema=ANNOUNCEMENTS), ".parquet")
    return list(wanted.values())


@contextmanager
def _folder(seed: int) -> Iterator[Path]:
    """A folder for the tree of a seed, under the store; those that killed runs left behind are removed first.

    Its owner holds a lock on it until it is gone, which the system lets go however the owner ends.
    """
    above = keyed.root() / "certify"
    above.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        with _locked(above, fcntl.LOCK_EX):  # so that nobody takes a folder for one left behind before it is locked
            for left in above.iterdir():
                with suppress(BlockingIOError, FileNotFoundError), _locked(left, fcntl.LOCK_EX | fcntl.LOCK_NB):
                    shutil.rmtree(left)
            folder = Path(mkdtemp(prefix=f"seed-{seed}-", dir=above))
            held.enter_context(_locked(folder, fcntl.LOCK_EX))
        held.callback(shutil.rmtree, folder)
        yield folder


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)


@contextmanager
def _apart(store: Path) -> Iterator[None]:
    """Let the stages work in silence, and keep what only this world needs out of the store that all share."""
    before = os.environ.get("HOMOPLASY_STORE")
    os.environ["HOMOPLASY_STORE"] = str(store)
    try:
        with redirect_stderr(StringIO()):
            yield
    finally:
        os.environ.pop("HOMOPLASY_STORE")
        os.environ.update({"HOMOPLASY_STORE": before} if before is not None else {})


@dataclass
class Tree:
    """The folders of one seed."""

    root: Path
    seed: int
    inputs: Inputs
    _holds: str = field(default="", init=False)

    @property
    def raw(self) -> Path:
        """The tree of the pocket world."""
        return self.root / "raw" / "pocket"

    def announce(self, item: Item) -> pd.DataFrame:
        """Carry the world through the stages of a preset, and ask the claims."""
        params, brain = self._params(item.preset), self._brain(item.preset)
        self._hold(item.truth)
        at = files.fresh_folder(self.root / "run")
        features, scores, record = at / "features", at / "scores", at / "settings.yaml"
        extract.main(params, self.raw, brain, at / "models", self.root / "rosters", features, at / "twins", record)
        cka.main(params, self.raw, brain, features, scores, record)
        taxonomy.main(params, features, scores, at / "taxonomy", record)
        settings = _settings.read(params, "stats", stats.Settings)
        tables = stats.run(settings, self.raw, brain, at / "models", features, scores).tables
        tables["tree"] = frames.read(at / "taxonomy" / "tree.parquet", TREE)
        rows = announcements(self.inputs.stated, self.inputs.scope, tables, self.inputs.estimators[item.preset])
        about = {"truth": item.truth, "seed": item.seed, "preset": item.preset}
        return ANNOUNCEMENTS.check(pd.DataFrame([about | row for row in rows]))

    def _params(self, preset: str) -> Path:
        """The parameters of a preset, beside a copy of the configuration."""
        path = self.root / f"{preset}.yaml"
        if not path.exists():
            shutil.copytree(self.inputs.conf, self.root / "conf", dirs_exist_ok=True)
            files.write_text(self.root / "rosters" / "planted.yaml", "- planted: all\n")
            world = {"pocket": {"truth": "null", "seed": self.seed}}  # the truth with the fewest models to write
            files.write_text(path, yaml.safe_dump(self.inputs.choices[preset] | world))
        return path

    def _brain(self, preset: str) -> Path:
        """The patterns of a preset; presets that say the same of them share them."""
        text = yaml.safe_dump(self.inputs.said(preset)["parcellate"])
        folder = self.root / "brain" / hashlib.sha256(text.encode()).hexdigest()[:16]
        if not folder.exists():
            params = self._params(preset)
            if not self.raw.exists():
                printed, open_data = self.root / "printed", self.root / "open"
                fetch.main(params, self.raw.parent, printed, open_data, self.root / "settings.yaml")
            parcellate.main(params, self.raw, folder, self.root / "settings.yaml")
        return folder

    def _hold(self, truth: str) -> None:
        """See to it that the tree holds the models of a truth."""
        if self._holds != truth:
            settings = _settings.read(self._params(self.inputs.presets[0]), "fetch", fetch.Settings)
            choices = settings.model_dump(include={"subjects", "sessions", "beta_version", "beta_format"})
            pocket.cast(self.raw, pocket.World(truth=truth, seed=self.seed, **choices), _write)
            self._holds = truth


def _write(at: Path, model: pocket.PlantedModel) -> None:
    arrays.write(at, "features", model.layers, model.facts)
