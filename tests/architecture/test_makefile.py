"""The table of experiments has few columns: what `make table` leaves out, tried on the metrics that git keeps."""

import json
import re

from tests.architecture.closure import ROOT


def named(values, above=""):
    """Every metric by its dotted name."""
    for key, value in values.items():
        yield from named(value, f"{above}{key}.") if isinstance(value, dict) else [f"{above}{key}"]


def test_the_table_of_experiments_keeps_the_headlines():
    lines = re.findall(r"^LEFT_OUT := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    left_out = "".join(lines).replace("$(LEFT_OUT)", "").replace("$$", "$")
    metrics = [json.loads((ROOT / name).read_text()) for name in ("metrics.json", "verdicts.json")]
    kept = [name for one in metrics for name in named(one) if not re.match(left_out, name)]  # as DVC takes it
    headlines = [
        f"{kind}.{reading}_r_performance" for kind in ("language", "vision") for reading in ("calibrated", "released")
    ]
    verdicts = [
        "calibrated.fails",
        "calibrated.survives",
        "calibrated.weakened",
        "released.fails",
        "released.reproduced",
    ]
    assert kept == [*headlines, *(f"world.{verdict}" for verdict in verdicts)]
    assert not re.match(left_out, "params.yaml:stats.top_share")
    assert re.match(left_out, "settings/stats.yaml:stats.top_share")
