"""timm's results on ImageNet and its variants: results-imagenet.csv, results-imagenet-a.csv and the others.

huggingface/pytorch-image-models, folder results/ (Apache-2.0). A line is named by model *and* image size: one network
tested at 224 and at 288 pixels is two lines, up to two points of accuracy apart.
"""

from pathlib import Path

from homoplasy.datasets.performance._reading import Found, frame, numbers, whole
from homoplasy.errors import BadData

PATTERN = "results-*.csv"
_KIND = "a table of timm's results (results-imagenet.csv, results-sketch.csv, …)"


def benchmark(path: Path) -> str:
    """The name of a benchmark from that of its file.

    >>> benchmark(Path("results-imagenet-a-clean.csv"))
    'imagenet_a_clean_top1'
    """
    return f"{path.stem.removeprefix('results-').replace('-', '_')}_top1"


def read(path: Path) -> Found:
    """Top-1 accuracy in percent; columns are found by name, since older files have them in another order."""
    table = frame(path, ("model", "img_size", "top1"), _KIND)
    rows = table.assign(
        model="timm:" + table["model"].astype(str),
        image_size=whole(table, "img_size", path, 1, 10_000),
        benchmark=benchmark(path),
        performance=numbers(table, "top1", path, 0, 100),
    )[["model", "image_size", "benchmark", "performance"]]
    once = rows.drop_duplicates()
    twice = once[once.duplicated(["model", "image_size"])]
    if len(twice):
        model, size = twice.iloc[0][["model", "image_size"]]
        raise BadData(f"{path} gives two results for {model} at {size} pixels; expected one a model and image size.")
    return Found(path.name, once, len(rows), len(rows) - len(once), "equal lines are one")
