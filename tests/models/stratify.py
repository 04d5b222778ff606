"""The vision rosters as rules: which models, with which facts. Run it to write them anew.

    python -m tests.models.stratify ../shared/reference/timm/results-imagenet.csv

`timm_layers.csv` holds what building every network without weights shows: its number of layers and the width of the
last. `--survey` writes that table anew, which takes some minutes.
"""

import csv
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np

from homoplasy.models._survey import layers_of
from homoplasy.models.timm import get_pretrained_cfg, split_model_name_tag

ROOT = Path(__file__).resolve().parents[2]
LAYERS = Path(__file__).with_name("timm_layers.csv")
STUDY = ROOT / "data" / "published" / "vision.csv"
ROSTERS = ROOT / "rosters"

# Our own table of architecture classes, by the module of timm. CNN: places are mixed by convolution or pooling alone.
# Transformer: by attention in every block. Hybrid: by both. MLP: by matrices over places. Recurrent: along them.
TRANSFORMER = (
    "beit", "cait", "crossvit", "davit", "deit", "eva", "gcvit", "hiera", "mvitv2", "naflexvit", "nest", "pit",
    "pvt_v2", "swin_transformer", "swin_transformer_v2", "swin_transformer_v2_cr", "tnt", "twins",
    "vision_transformer", "vision_transformer_relpos", "volo", "xcit",
)  # fmt: skip
HYBRID = (
    "coat", "convit", "edgenext", "efficientformer", "efficientformer_v2", "efficientvit_mit", "efficientvit_msra",
    "fastvit", "levit", "maxxvit", "mobilevit", "nextvit", "shvit", "swiftformer", "tiny_vit", "visformer",
    "vision_transformer_hybrid",
)  # fmt: skip
BY_NAME = {  # families of several classes: the beginning of a name
    "caformer": "Hybrid", "mobilenetv4_hybrid": "Hybrid", "botnet": "Hybrid", "sebotnet": "Hybrid",
    "eca_botnext": "Hybrid", "halonet": "Hybrid", "sehalonet": "Hybrid", "halo2botnet": "Hybrid",
    "haloregnetz": "Hybrid", "eca_halonext": "Hybrid", "lamhalobotnet": "Hybrid", "lambda_resnet": "Hybrid",
    "bat_resnext": "Hybrid", "fastvit_t": "CNN", "fastvit_s12": "CNN",
}  # fmt: skip
OTHER = {"mlp_mixer": "MLP", "sequencer": "Recurrent"}

TERCILES = ("narrow", "middle", "wide")
CLASSES = ("CNN", "Transformer", "Hybrid", "MLP", "Recurrent")
TRAININGS = ("in1k", "in21k", "web")
DATA = {  # words of a tag, the first that fits; ssld chose its pictures from ImageNet-22k
    "web": {
        "laion2b", "laiona", "openai", "clip", "ig1b", "ssl", "swsl", "wsl", "swag", "seer", "jft", "ns", "c2ns",
        "yfcc100m", "m30m", "m38m", "webli",
    },
    "in21k": {"in21k", "in22k", "in12k", "ssld"},
}  # fmt: skip
EACH = 6  # families of a stratum


@dataclass(frozen=True)
class Vision:
    """A vision model: what its line says, and its accuracy."""

    name: str
    parameters: str  # millions
    top1: float

    @property
    def module(self) -> str:
        from timm.models._registry import _model_to_module  # here, after homoplasy.models made torchvision loadable

        return _model_to_module[split_model_name_tag(self.name)[0]]

    @property
    def architecture(self) -> str:
        given = [kind for start, kind in BY_NAME.items() if self.name.startswith(start)]
        if given:
            return given[0]
        fixed = dict.fromkeys(TRANSFORMER, "Transformer") | dict.fromkeys(HYBRID, "Hybrid") | OTHER
        return fixed.get(self.module, "CNN")

    @property
    def training(self) -> str:
        """What its weights were learned from, by the tag that timm gives them."""
        parts = set(split_model_name_tag(self.name)[1].split("_"))
        return next((kind for kind, words in DATA.items() if parts & words), "in1k")

    @property
    def layers(self) -> tuple[int, int]:
        """Width of the last layer, number of layers."""
        return layers()[split_model_name_tag(self.name)[0]]

    @property
    def line(self) -> str:
        width, depth = self.layers
        return (
            f"- {{model: timm:{self.name}, family: {self.module}, architecture: {self.architecture}, width: {width}, "
            f"depth: {depth}, parameters: {self.parameters}, training: {self.training}}}"
        )


@cache
def layers() -> Mapping[str, tuple[int, int]]:
    with LAYERS.open(encoding="utf-8") as file:
        return {row["network"]: (int(row["width"]), int(row["depth"])) for row in csv.DictReader(file)}


def study() -> list[Vision]:
    """The networks of the published figure."""
    with STUDY.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [
        Vision(row["model"].removeprefix("timm:"), f"{int(row['parameters']) / 1e6:g}", float(row["imagenet_top1"]))
        for row in rows
    ]


def tested(results: Path) -> list[Vision]:
    """Every network of timm's results whose weights are on the hub, at the smallest size that it was tested at."""
    with results.open(encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: (row["model"], int(row["img_size"])))
    first: dict[str, dict[str, str]] = {}
    for row in rows:
        first.setdefault(row["model"], row)
    return [
        Vision(name, row["param_count"].replace(",", ""), float(row["top1"]))
        for name, row in first.items()
        if get_pretrained_cfg(name) is not None and get_pretrained_cfg(name).hf_hub_id
    ]


def balanced(candidates: Iterable[Vision]) -> list[Vision]:
    """From each stratum (class x width tercile x training data) one network of each of up to six families.

    Terciles are those of the width of the last layer over all candidates. Families come in the order of how many
    candidates the stratum has of them, then by name; of a family the one whose accuracy is the lower median.
    """
    known = [one for one in candidates if split_model_name_tag(one.name)[0] in layers()]
    cuts = np.quantile([one.layers[0] for one in known], [1 / 3, 2 / 3])
    strata: dict[tuple[str, int, str], dict[str, list[Vision]]] = {}
    for one in known:
        stratum = (one.architecture, int(np.searchsorted(cuts, one.layers[0])), one.training)
        strata.setdefault(stratum, {}).setdefault(one.module, []).append(one)
    chosen = []
    for kind in CLASSES:
        for tercile in range(3):
            for training in TRAININGS:
                families = strata.get((kind, tercile, training), {})
                order = sorted(families, key=lambda name: (-len(families[name]), name))
                chosen += [_median(families[name]) for name in islice(order, EACH)]
    return chosen


def _median(of: list[Vision]) -> Vision:
    ordered = sorted(of, key=lambda one: (one.top1, one.name))
    return ordered[(len(ordered) - 1) // 2]


STUDY_HEAD = """\
# The 594 vision networks of Shen et al. (arXiv 2507.01966), figure 3: the names of data/published/vision.csv.
# family: the module of timm. architecture: our own table (the legend of the figure is in data/published/vision.csv);
# CNN mixes places by convolution or pooling alone, Transformer by attention in every block, Hybrid by both.
# width: units of the last block; depth: blocks; parameters: millions, as the study had them; training: in1k | in21k
# (also in22k, in12k) | web. None is gated. Five (gcvit) have no safetensors on the hub: extract reports them as failed.
# Weights are taken at their newest commit, which is recorded. Written by tests/models/stratify.py.
"""
BALANCED_HEAD = """\
# Vision networks balanced over architecture class, width and training data, so that performance and width can be told
# apart, with the families that the study could not read: ResNet and ResNeXt (resnet), RegNet, Swin and others.
# Rule: of timm's results (aa4b5850), from each stratum (class x tercile of the last block's width x training data) one
# network of each of up to six families: the families with most networks there, of each the lower median in top-1.
# Keys as in vision594. Written by tests/models/stratify.py.
"""


def text(head: str, models: Iterable[Vision]) -> str:
    """A roster file."""
    return head + "".join(f"{one.line}\n" for one in models)


def survey(names: Iterable[str]) -> None:
    """Build every network without weights and write down what its layers are."""
    found = {name: list(layers_of(f"timm:{name}").widths.values()) for name in sorted(set(names))}
    lines = [f"{name},{widths[-1]},{len(widths)}" for name, widths in found.items()]
    LAYERS.write_text("\n".join(["network,width,depth", *lines]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    candidates = tested(Path(sys.argv[1]))
    if "--survey" in sys.argv:
        survey(split_model_name_tag(one.name)[0] for one in [*study(), *candidates])
    (ROSTERS / "vision594.yaml").write_text(text(STUDY_HEAD, study()), encoding="utf-8")
    (ROSTERS / "vision_balanced.yaml").write_text(text(BALANCED_HEAD, balanced(candidates)), encoding="utf-8")
