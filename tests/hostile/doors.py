"""Every way by which a file comes in: how a sound one is made, and what reads it."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from PIL import Image
from safetensors.numpy import save_file

from homoplasy import tables
from homoplasy.command.score import _read as read_foreign
from homoplasy.datasets import _agreement, _manifest, image_folder, nsd, pocket, published
from homoplasy.datasets._download import Journal
from homoplasy.datasets.performance import curves, known
from homoplasy.datasets.pocket import captions, formats, training_set
from homoplasy.models import _roster
from homoplasy.representation import Representation
from homoplasy.stages import (
    _extraction,
    _pairs,
    _place,
    _runs,
    _scores,
    _settings,
    cka,
    claims,
    extract,
    fetch,
    parcellate,
    report,
    stats,
    taxonomy,
    train,
)  # fmt: skip
from homoplasy.store import arrays, files, foreign, frames, weights
from homoplasy.studies.convergence import claims as claim_files
from homoplasy.studies.convergence import ledger
from tests.conftest import ROOT
from tests.datasets.nsd import miniature

_IDS = np.arange(40)
_SCHEMAS = [one for one in vars(tables).values() if isinstance(one, tables.Schema)]


@dataclass(frozen=True)
class Door:
    """`make` writes sound files into a folder; `read` reads them, told which of them is damaged."""

    make: Callable[[Path], None]
    read: Callable[[Path, Path], Any]
    damaged: str = "**/*"
    cost: int = 1  # of reading, beside the others


def _copy(*names: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        for name in names:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.md"))
            else:
                shutil.copy(ROOT / name, folder / name)

    return make


_SECTIONS: dict[str, Any] = {
    "fetch": fetch.Settings, "pocket": fetch.Truth, "parcellate": parcellate.Settings, "train": train.Settings,
    "extract": extract.Settings, "cka": cka.Settings, "stats": stats.Settings, "taxonomy": taxonomy.Settings,
    "claims": claims.Settings, "report": report.Settings,
}  # fmt: skip


def _settings_of(folder: Path, _: Path) -> None:
    params = folder / "params.yaml"
    found = {name: _settings.read(params, name, model) for name, model in _SECTIONS.items()}
    found["cka"].choice()
    found["stats"].choices(binning="block")
    _runs.runs(found["train"].runs, found["train"])
    _settings.record(found, folder / "record.yaml")
    (folder / "record.yaml").unlink()


_LOCAL = {
    "execution": {"executor": "local", "shards": 4, "at_once": 2, "options": {"mem_gb": 4}},
    "nsd": {"accept_terms": True, "name": "A Person", "date": date(2025, 1, 31), "captions": ".", "performance": "."},
    "remote_code": ["owner/name"],
}


def _local(folder: Path, path: Path) -> None:
    _place.read(folder / "params.yaml", "cka")
    _extraction.code_allowed(path)
    for name in ("captions", "performance"):
        _agreement.folder(path, name)
    _agreement.signed(path, "https://example.org")


def _claims(_: Path, path: Path) -> None:
    stated = claim_files.parse(claims._yaml(path), path.name, 0.25)
    empty = {one.name: one.empty() for one in _SCHEMAS}
    found = ledger.verdicts(stated, ledger.Here({"points": empty, "world": empty}, generated=True, biased="released"))
    ledger.page(stated, found)
    json.dumps(ledger.plain(stated, found))
    tables.VERDICTS.check(found)


def _features(path: Path) -> None:
    rng = np.random.default_rng(0)
    layers = [
        Representation(rng.standard_normal((40, 6)).astype("f4"), _IDS, name, facts={"depth": (place + 1) / 2})
        for place, name in enumerate(("one", "two"))
    ]
    arrays.write(path, "features", layers, {"model": "planted:a", "modality": "vision"})


def _patterns(path: Path) -> None:
    rng = np.random.default_rng(1)
    facts = {"network": "Vis", "left": 3, "ceiling": 0.5, "ceiling_left": None, "ceiling_right": 0.1}
    facts |= {"reason_left": "", "reason_right": ""}
    kept = [
        Representation(rng.standard_normal((40, 8)).astype("f4"), _IDS, name, np.arange(8), facts)
        for name in ("V1", "V2")
    ]
    arrays.write(path, "patterns", kept, {"shared": [0, 1, 2, 3, 4]})


def _container(_: Path, path: Path) -> None:
    found = arrays.Container(path, "features")
    for name in found.names():
        one = found[name]
        assert one.values.shape == found.shape(name)
        found.array_facts(name)


def _world(folder: Path) -> None:
    _features(folder / "features" / "planted" / "a.safetensors")
    _patterns(folder / "brain" / "subj01" / "patterns.safetensors")


def _chosen(section: str, changes: Mapping[str, Any]) -> Any:
    """The settings of this repository, with some changes."""
    return _settings.read(ROOT / "params.yaml", section, _SECTIONS[section]).model_copy(update=dict(changes))


_CHOICE = {
    "kernel_sizes": (),
    "relative_sizes": (1.0,),
    "estimators": ("debiased",),
    "hemispheres": "both",
    "halves": 0,
}


def _scored(folder: Path, _: Path) -> None:
    stored = _scores.fill(_chosen("cka", _CHOICE).plan(), folder / "brain", folder / "features")
    tables.SCORES.check(_pairs.read(stored.scores))


def _weights(path: Path) -> None:
    state = {"a.weight": np.ones((2, 3), "f4"), "b": np.zeros(1, "f4")}
    weights.write(path, state, {"kind": "vision", "architecture": "x", "history": [{"step": 1}], "seen": 4})


def _checkpoints(folder: Path, _: Path) -> None:
    for entry in _extraction.checkpoints(folder):
        config, state = weights.read(folder / f"{entry.address.rest}.safetensors")
        assert isinstance(config, dict)
        assert all(isinstance(values, np.ndarray) for values in state.values())


def _runs_folder(folder: Path) -> None:
    files.write_json(folder / "runs.json", ["resnet", "neox"])
    for run in ("resnet", "neox"):
        _weights(folder / run / "step-000001.safetensors")


def _rows(schema: tables.Schema) -> pd.DataFrame:
    kinds = {"text": list("abcd"), "integer": list(range(4)), "number": [0.0, 0.5, 1.0, 1.5], "flag": [True, False] * 2}
    return pd.DataFrame({name: kinds[kind] for name, kind in schema.columns.items()})


def _tables(folder: Path) -> None:
    for schema in _SCHEMAS:
        frames.write(folder / f"{schema.name}.parquet", _rows(schema), schema)


def _table(_: Path, path: Path) -> None:
    schema = next(one for one in _SCHEMAS if one.name == path.stem)
    schema.check(frames.read(path, schema))
    frames.read(path, schema, list(schema.columns)[:3])


_TIMM = (
    'model,img_size,top1,top1_err,param_count\na.b,224,80.5,19.5,25.5\na.b,288,81.5,18.5,25.5\nc,224,70,30,"1,014.2"\n'
)
_BOARD = (
    "eval_name,Precision,fullname,Average ⬆️,Chat Template,IFEval,BBH,MATH Lvl 5,GPQA,MUSR,MMLU-PRO,Submission Date\n"
    "x,bfloat16,a/b,20.1,True,31.5,8.1,0.0,-,1.0,7.9,2024-06-12\nx,float16,a/b,21,False,31,8,0,1,1,7,2024-06-13\n"
)
_ARENA = (
    "model_name,rating,category,leaderboard_publish_date\nqwen-1,1200.5,overall,2025-01-31\nb,1100,overall,2025-01-30\n"
)
_MIXNET = "model,epoch,averaged_weights,imagenet_top1,imagenet_top5\nmixnet,1,0,10.5,20\nmixnet,1,1,11,21\n"


def _performance(folder: Path) -> None:
    texts = {"results-imagenet.csv": _TIMM, "leaderboard2.csv": _BOARD, "arena.csv": _ARENA}
    for name, text in texts.items():
        files.write_text(folder / "performance" / name, text)
    files.write_text(folder / "mixnet.csv", _MIXNET)
    run = folder / "evals" / "pythia-70m" / "zero-shot" / "70m_step512.json"
    files.write_json(run, {"results": {"piqa": {"acc": 0.5}, "sciq": {"acc": 0.6}}, "config": {"weights": "raw"}})


def _performances(folder: Path, path: Path) -> None:
    if path.name == "mixnet.csv":
        curves.mixnet(path)
    elif path.suffix == ".json":
        curves.pythia(folder / "evals")
    else:
        models = _rows(tables.MODELS).assign(model=["timm:a.b", "timm:c", "transformers:a/b", "x:qwen-1"], step=-1)
        known.join(known.read(folder / "performance", "preferred"), models)
        known.read(folder / "performance", "last")


def _published(folder: Path, path: Path) -> None:
    at = folder / "data" / "published"
    if path.name == "mixnet.csv":
        curves.mixnet(path)
    elif path.name == "printed.csv":
        published.printed(at)
    else:
        published.points(at), published.scores(at), published.performance(at), published.models(at)


_SMALL = {"sessions": 0, "first_release": False, "min_voxels": 5, "voxel_unit": 1.0, "pairing_sd": 5.0}


def _tree(form: str) -> Callable[[Path], None]:
    return lambda folder: (miniature.write(folder / "raw", (1,), form), None)[1]


def _brain(folder: Path, path: Path) -> None:
    tree = nsd.open_tree(folder / "raw")
    brain = files.fresh_folder(folder / "brain")
    parcellate.run(_chosen("parcellate", _SMALL), tree, brain)
    ids = frames.read(brain / "stimuli.parquet", tables.STIMULI)["stimulus_id"].to_numpy()
    if path.name == "nsd_stimuli.hdf5":
        shown = tree.pictures(ids)
        assert (shown.ndim, shown.shape[-1], len(shown)) == (4, 3, len(ids))
    for found in _pairs.patterns(brain):
        one = arrays.Container(found, "patterns")
        assert all(np.isfinite(one[name].values).all() for name in one.names())


def _manifest_of(folder: Path) -> None:
    miniature.write(folder, (1, 2))
    root = folder / _manifest.NAME
    lines = [{"key": key, **entry} for key, entry in json.loads(root.read_text())["files"].items()]
    lines += [{"key": "a/b", "size": 3, "etag": "x", "sha256": None}]
    (folder / _manifest.MARK).write_text("\n".join(map(json.dumps, lines)))


def _raw(folder: Path, _: Path) -> None:
    nsd.open_tree(folder)
    _manifest.holds(folder, "nsd", {})
    _manifest.faults(folder, Journal(folder).done)


def _lessons(folder: Path) -> None:
    rng = np.random.default_rng(0)
    glyphs = rng.integers(0, 4, (6, 12), dtype=np.uint8)
    shown = rng.integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
    formats.hdf5(formats.place(folder, training_set.KEY), {"pictures": shown, "glyphs": glyphs})
    formats.to_json(formats.place(folder, training_set.CAPTIONS), captions.of_training(glyphs))


def _learnt(folder: Path, _: Path) -> None:
    told = pocket.training_captions(folder)
    assert all(isinstance(one, str) for own in told for one in own)
    shown, glyphs = pocket.training(folder)
    assert (shown.ndim, shown.dtype, glyphs.ndim, len(shown)) == (4, np.uint8, 2, len(glyphs))


def _foreign(folder: Path) -> None:
    values = np.random.default_rng(0).standard_normal((8, 3))
    np.save(folder / "a.npy", values)
    np.savez(folder / "a.npz", a=values, stimulus_ids=np.arange(8))
    save_file({"a": values}, folder / "a.safetensors", {"homoplasy": json.dumps({"stimulus_ids": list(range(8))})})
    named = pd.DataFrame(values, columns=list("abc")).assign(stimulus_id=np.arange(8))
    named.to_parquet(folder / "a.parquet")
    (folder / "ids.txt").write_text("".join(f"{row}\n" for row in range(8)))


def _arrays(folder: Path, path: Path) -> None:
    if path.suffix == ".txt":
        read_foreign(str(folder / "a.npy"), str(folder / "a.npy"), (path, path))
        return
    left, right = read_foreign(str(path), str(path), None)
    assert np.isfinite(left.values).all()
    if left.facts["ids"] == "named":
        left.align(right)
    foreign.read(str(path))


def _pictures(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for place, suffix in enumerate(("png", "jpg", "bmp", "webp")):
        at = folder / f"class{place % 2}" / f"a{place}.{suffix}"
        at.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (9, 7, 3), dtype=np.uint8)).save(at)


def _looked_at(folder: Path, _: Path) -> None:
    found = image_folder.open_folder(folder)
    assert all(one.shape[-1] == 3 for one in found.read(np.arange(len(found.paths))))


DOORS: dict[str, Door] = {
    "settings": Door(_copy("params.yaml", "conf"), _settings_of),
    "local": Door(lambda folder: files.write_text(folder / "local.yaml", yaml.safe_dump(_LOCAL)), _local),
    "claims": Door(_copy("claims"), _claims, cost=6),
    "rosters": Door(_copy("rosters"), lambda folder, path: _roster.read(path.parent, path.stem)),
    "manifest": Door(_manifest_of, _raw, "MANIFEST.*"),
    "container": Door(lambda folder: _features(folder / "a.safetensors"), _container),
    "scores": Door(_world, _scored, "**/*.safetensors", 3),
    "weights": Door(_runs_folder, _checkpoints),
    "tables": Door(_tables, _table),
    "performance": Door(_performance, _performances),
    "published": Door(_copy("data/published"), _published, cost=3),
    "hdf5 tree": Door(_tree("hdf5"), _brain, "raw/**/*", 4),
    "nifti tree": Door(_tree("nifti"), _brain, "raw/**/*", 4),
    "training set": Door(_lessons, _learnt),
    "arrays": Door(_foreign, _arrays),
    "pictures": Door(_pictures, _looked_at),
}
