"""The page: whole, alone, the same twice, and honest about what is missing."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from homoplasy.report import hierarchy, lookup, performance, printed, scale, tree
from homoplasy.report.figures import absent, drawings
from homoplasy.report.page import notes, page
from homoplasy.report.verdicts import verdicts
from homoplasy.tables import LEAVES, LINKAGE, PERFORMANCE, REGIONS, TREE
from tests.studies.convergence import made


class Tags(HTMLParser):
    """Collects addresses and ids, and checks that what opens is closed."""

    VOID = frozenset({"meta", "link", "br", "hr", "img", "use", "path", "input"})

    def __init__(self, text):
        super().__init__()
        self.addresses, self.ids, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.addresses += [value for name, value in attrs if name in {"href", "src", "xlink:href"}]
        self.ids += [found["id"]] if "id" in found else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def at_one_width(points):
    """The printed points with fewer panels to draw."""
    return points[points["reading"] == "sigma=36"]


@pytest.fixture(scope="module")
def text(inputs, drawn):
    return page(inputs, drawn)


def test_every_figure_is_there(drawn):
    first = ["printed", "kernel-widths", "performance", "depths", "hierarchy", "cortex", "plane", "learning-vision"]
    then = ["lags", "scale", "cortex-change", "tree", "consistency", "certificates", "specifications-score-performance"]
    assert [one.name for one in drawn] == [*first, *then, "supplement-printed", "supplement-kernels"]
    assert absent(drawn) == []
    assert len(absent([])) == 9


def test_the_page_stands_alone(text):
    tags = Tags(text)
    here = ("#", "figures/", "tables/", "data:", "report.pdf")
    assert [address for address in tags.addresses if not address.startswith(here)] == []
    assert not re.search(r"<script[^>]*src", text)
    assert tags.open == []
    assert len(tags.ids) == len(set(tags.ids))
    inner = {address[1:] for address in tags.addresses if address.startswith("#")}
    assert inner <= set(tags.ids)
    assert not re.search(r"@import|url\(['\"]?http", text)


def test_titles_and_reasons_are_escaped(text):
    assert "A &lt;made-up&gt; world" in text
    assert "<made-up>" not in text


def test_inks_follow_the_page_into_the_dark(text):
    figures = re.findall(r"<svg [^>]*aria-label=.*?</svg>", text, flags=re.DOTALL)
    assert len(figures) == 17
    for figure in figures:
        assert "var(--muted)" in figure
        assert "#1d1d1b" not in figure.lower()


def test_the_same_inputs_give_the_same_bytes(inputs, drawn, text):
    again = [
        printed.figure(inputs.points, inputs.again["associations"]),
        scale.figure(inputs.study["scales"], inputs.study["facts"]),
    ]
    known = {one.name: one for one in drawn}
    assert [one.files() for one in again] == [known[one.name].files() for one in again]
    assert page(inputs, drawn) == text


def test_nothing_tells_when_or_where_it_was_made(drawn, text):
    for content in [text.encode(), *(one.svg for one in drawn), *(one.pdf for one in drawn)]:
        assert not re.search(rb"CreationDate|<dc:date>|/home/|/work/|/tmp/", content)


def test_every_format_is_what_it_says_and_the_numbers_are_those_of_the_tables(drawn, inputs):
    for one in drawn:
        assert ElementTree.fromstring(one.svg).tag.endswith("svg")
        assert one.pdf.startswith(b"%PDF")
        with Image.open(BytesIO(one.png)) as picture:
            assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
            pixels = np.asarray(picture)
        assert pixels.shape[1] == 2160
        assert (pixels[:5, :5] == 255).all(), "the paper is white, not clear"
        assert pixels[..., :3].std() > 0.01 * 255
    (first,) = (one for one in drawn if one.name == "performance")
    csv = pd.read_csv(BytesIO(first.csv)).set_index(["model", "reading"])["score"]
    scores = inputs.study["model_scores"].dropna(subset=["score"]).set_index(["model", "reading"])["score"]
    np.testing.assert_allclose(csv, scores[csv.index], rtol=1e-5)


def test_the_verdicts_are_made_of_the_numbers(inputs):
    found = verdicts(inputs.study["model_scores"], inputs.study["correlations"])
    assert [(one.modality, one.reading) for one in found] == [
        ("vision", "calibrated"),
        ("vision", "released"),
        ("language", "calibrated"),
        ("language", "released"),
    ]
    assert {one.word for one in found if one.reading == "calibrated"} == {"survives"}
    assert {one.word for one in found if one.reading == "released"} == {"follows chance"}
    assert "chance stands at 0 ± 0.014" in found[0].sentence


def test_a_relation_that_width_explains_is_weakened_and_none_is_not_shown(inputs):
    table = inputs.study["correlations"]
    plain = (table["x"] == "score") & (table["y"] == "performance")
    held = table.assign(
        fisher_low=table["fisher_low"].mask(plain & (table["given"] == "log_width"), -0.2),
    )
    assert verdicts(inputs.study["model_scores"], held)[0].word == "weakened"
    none = table.assign(fisher_low=table["fisher_low"].mask(plain, -0.2))
    assert verdicts(inputs.study["model_scores"], none)[0].word == "not shown"


def test_of_two_intervals_the_outer_bounds_are_believed(inputs):
    table = inputs.study["correlations"].assign(families=8)
    plain = (table["x"] == "score") & (table["y"] == "performance") & (table["given"] == "")
    doubtful = table.assign(
        family_low=table["family_low"].mask(plain, 0.1), fisher_low=table["fisher_low"].mask(plain, -0.1)
    )
    found = lookup.correlation(doubtful, "calibrated", "vision", ("score", "performance"))
    assert (found.low, found.sign) == (-0.1, 0)
    assert verdicts(inputs.study["model_scores"], doubtful)[0].word == "not shown"


def test_a_model_that_failed_is_named_with_its_reason(text):
    assert "ran out of memory" in text
    assert "too_few_voxels (4)" in text


def test_a_null_world_has_its_page(make):
    models = made.models(4)
    truth = made.facts(models)
    found = make(made.scores(models, truth, strength=0.0), models, made.performance(truth), histories={})
    assert "at chance" in page(found, [performance.figure(found.study["model_scores"], found.study["correlations"])])


def test_a_world_of_one_modality_without_performance_has_its_page(make):
    models = made.models(4).iloc[:4]
    truth = made.facts(models)
    found = make(made.scores(models, truth), models, PERFORMANCE.empty())
    said = page(found, [performance.figure(found.study["model_scores"], found.study["correlations"])])
    assert "Too few models have a known performance" in said
    assert "performance not known" in said


def test_a_world_of_printed_points_says_what_it_lacks(make):
    models = made.models(8)
    truth = made.facts(models)
    scores = made.scores(models, truth)
    one = scores[(scores["params"] == "sigma=9 biased") & (scores["region"] == "V1") & (scores["subject"] == "subj01")]
    points = one[one["depth"] == 0.75].assign(null_mean=np.nan, null_sd=np.nan, ceiling=np.nan)
    bare = {"leaves": LEAVES.empty(), "linkage": LINKAGE.empty(), "tree": TREE.empty()}
    found = make(points, models, made.performance(truth), REGIONS.empty(), {})
    found = replace(found, study={**found.study, **bare}, atlas=None, points=at_one_width(found.points))
    drawn = drawings(found)
    names = ["printed", "kernel-widths", "performance", "supplement-printed"]
    assert [figure.name for figure in drawn] == names
    assert "at equal feature width" in drawn[2].svg.decode()
    said = page(found, drawn)
    assert 'id="atlas-data"' not in said
    for sentence in ("untestable here", "No map of regions", "No tree of models", "No learning curve", "no brain data"):
        assert sentence in said


def test_a_world_without_any_score_has_a_page(make):
    models = made.models(4)
    none = made.scores(models, made.facts(models)).iloc[:0]
    found = make(none, models, PERFORMANCE.empty(), REGIONS.empty(), {})
    found = replace(found, points=at_one_width(found.points))
    assert [one.name for one in drawings(found)] == ["printed", "kernel-widths", "supplement-printed"]
    assert "There is no calibrated score" in page(found, [])


def test_many_regions_are_named_by_network(inputs):
    regions, profiles = (
        pd.concat([table.assign(region=table["region"] + f"-{n}") for n in range(8)], ignore_index=True)
        for table in (inputs.regions, inputs.study["profiles"])
    )
    many = hierarchy.figure(profiles, regions)
    assert b"V1-3" not in many.svg
    assert b"Somatomotor" in many.svg


def test_the_ring_of_many_models_is_their_class(inputs, drawn):
    count = 96
    heights = np.arange(1.0, count)
    nodes = {"node": np.arange(count, 2 * count - 1), "left": [0, *range(count, 2 * count - 2)]}
    chain = LINKAGE.check(
        pd.DataFrame(nodes | {"right": np.arange(1, count), "height": heights, "leaves": np.arange(2, count + 1)})
    )
    about = {"modality": "vision", "width": 8.0, "leaf": range(count), "place": range(count), "reason": ""}
    names = {"model": [f"m-{n:02d}" for n in range(count)], "family": [f"family-{n % 20}" for n in range(count)]}
    leaves = LEAVES.check(pd.DataFrame(names | {"architecture": ["CNN", "Transformer"] * (count // 2)} | about))
    by_class = tree.figure(leaves, chain, inputs.study["tree"], inputs.study["model_scores"])
    assert "Ring: architecture" in by_class.caption
    assert b"ring: architecture" in by_class.svg
    assert b"m-00" not in by_class.svg
    (few,) = (one for one in drawn if one.name == "tree")
    assert b"ring: family" in few.svg
    assert b"vision-02" in few.svg


@pytest.mark.parametrize(
    ("chosen", "said"),
    [("best", "chance alone would lift a score"), ("split_half", "half of the images"), ("all", "every region counts")],
)
def test_how_the_regions_of_a_score_were_chosen_is_said(inputs, chosen, said):
    scores = inputs.study["model_scores"].assign(chosen=chosen)
    (note,) = notes(replace(inputs, study={**inputs.study, "model_scores": scores}))
    assert f"Calibrated reading: {'e' if chosen == 'all' else 't'}" in note
    assert said in note
