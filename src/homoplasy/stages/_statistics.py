"""What the stats stage reads beside the scores, and how it writes its tables."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from homoplasy import tables
from homoplasy.datasets import hcp_mmp1, published
from homoplasy.datasets.performance import curves
from homoplasy.datasets.performance import known as results
from homoplasy.store import files, frames
from homoplasy.studies.convergence import scales, trajectories
from homoplasy.studies.convergence.analysis import Results
from homoplasy.studies.convergence.further import Around
from homoplasy.studies.convergence.plots import plots
from homoplasy.studies.convergence.reanalysis import analyse_again

_PLANTED = "pocket/evaluations"  # of the pocket world: its planted training runs, in Pythia's layout


def around(raw: Path, brain: Path, trained: Path, models: pd.DataFrame, performance: pd.DataFrame) -> Around:
    """Regions, and performance along training, beside models and their performance."""
    regions = frames.read(brain / "regions.parquet", tables.REGIONS)
    planted = curves.pythia(raw / _PLANTED) if (raw / _PLANTED).is_dir() else tables.CURVES.empty()
    planted["run"] = planted["run"].str.replace("EleutherAI/pythia-", "planted-", regex=False)
    ours = [
        trajectories.of_history(path.parent.name, frames.read(path, tables.HISTORY))
        for path in sorted(trained.glob("*/history.parquet"))
    ]
    parts = [part for part in (results.trained(raw / results.FOLDER), planted, *ours) if len(part)]
    found = pd.concat(parts, ignore_index=True) if parts else tables.CURVES.empty()
    pooled = regions.loc[regions["hemisphere"] == "both", ["subject", "region", "ceiling_z"]]
    return Around(models, performance, scales.by_region(regions, hcp_mmp1.anterior()), found, pooled)


def analyse_printed(printed: Path, folder: Path, draws: int, seed: int) -> None:
    """Analyse the published points again, whatever the world, and write the tables."""
    trained = curves.mixnet(printed / "mixnet.csv")
    found = analyse_again(published.points(printed), published.printed(printed), trained, draws, seed)
    write(folder, vars(found))


def write_plots(folder: Path, found: Results) -> None:
    """Write the main curves into an emptied folder."""
    files.fresh_folder(folder)
    for name, frame in plots(found).items():
        files.write_text(folder / f"{name}.csv", frame.to_csv(index=False, float_format="%.6g", lineterminator="\n"))


def write(folder: Path, found: Mapping[str, pd.DataFrame]) -> None:
    """Write tables into an emptied folder, each under the name of its schema."""
    files.fresh_folder(folder)
    for name, frame in found.items():
        frames.write(folder / f"{name}.parquet", frame, getattr(tables, name.upper()))
