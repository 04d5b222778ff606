"""The page in a real browser, without a network: no errors, tables sort, the atlas answers to its controls."""

import json
import re
import shutil
import subprocess
from html import unescape
from itertools import pairwise

import pytest

from homoplasy.report.page import page

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
pytestmark = pytest.mark.skipif(not BROWSER, reason="no chromium on this machine")

LISTEN = """<script>
window.found = {errors: []};
window.addEventListener("error", (event) => found.errors.push(String(event.message || event.target.src)), true);
console.error = (...said) => found.errors.push(said.join(" "));
</script>"""
USE = """<script>
(() => {
const one = (name) => document.getElementById(name);
const column = (table, number) => [...one(table).tBodies[0].rows].map((row) => row.cells[number].textContent);
const choose = (name, value) => { one(name).value = value; one(name).dispatchEvent(new Event("change")); };
found.before = column("table-regions", 3);
const heading = one("table-regions").tHead.rows[0].cells[3];
heading.querySelector("button").click();
found.rising = column("table-regions", 3);
found.said = heading.getAttribute("aria-sort");
heading.querySelector("button").click();
found.falling = column("table-regions", 3);
found.hidden = document.querySelectorAll("tr.untestable.hidden").length;
one("all-claims").click();
found.shown = document.querySelectorAll("tr.untestable.hidden").length;
found.every = document.querySelectorAll("tr.untestable").length;
const pictures = () => [one("atlas-map").innerHTML, one("atlas-profile").innerHTML, one("atlas-said").textContent];
found.atlas = {start: pictures()};
for (const name of ["model", "kernel", "layer", "region"]) {
  choose(`atlas-${name}`, one(`atlas-${name}`).options.length - 1);
  found.atlas[name] = pictures();
}
DRAWING
found.csv = csv(one("table-chance"));
const usable = [...document.querySelectorAll("button, select, input, summary, [tabindex]")];
found.reached = usable.every((one) => one.tabIndex >= 0);
found.overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
found.named = [...document.querySelectorAll("select, input")].every((one) => one.closest("label"));
const result = document.createElement("pre");
result.id = "result";
result.textContent = JSON.stringify(found);
document.body.append(result);
})();
</script>"""


# without WebGL: dots that turn, and that choose their region when they are clicked
DOTS = """
found.drawn = [!one("atlas-map").hidden, one("atlas-cortex").closest("[data-with]").hidden];
document.querySelector('[data-turn="-180"]').click();
found.atlas.turned = pictures();
one("atlas-map").querySelector("circle[stroke-width]").dispatchEvent(new Event("click"));
found.atlas.clicked = pictures();
"""
# with it: a surface that answers to its buttons, keys, lists and to a click; a sum of its pixels stands for the picture
SURFACE = """
found.drawn = [!one("atlas-map").hidden, one("atlas-cortex").closest("[data-with]").hidden];
const canvas = one("atlas-cortex"), gl = canvas.getContext("webgl");
const pixels = () => {
  const bytes = new Uint8Array(4 * canvas.width * canvas.height);
  gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
  return bytes.reduce((sum, value, at) => (sum * 31 + value * (at % 97)) % 1000003, 7);
};
const filled = () => {
  const bytes = new Uint8Array(4 * canvas.width * canvas.height);
  gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
  return bytes.filter((value, at) => at % 4 === 3 && value > 0).length / (canvas.width * canvas.height);
};
const press = (key) => canvas.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const steps = {
  left: () => document.querySelector('[data-turn="-180"]').click(),
  above: () => document.querySelector('[data-tilt="90"]').click(),
  side: () => document.querySelector('[data-turn="0"]').click(),
  right: () => press("ArrowRight"), up: () => press("ArrowUp"),
  half: () => choose("atlas-half", "left"), folded: () => choose("atlas-shape", "folded"),
  kernel: () => choose("atlas-kernel", 0), model: () => choose("atlas-model", 0), layer: () => choose("atlas-layer", 0),
};
found.surface = { start: pixels() };
for (const [name, step] of Object.entries(steps)) { step(); found.surface[name] = pixels(); }
found.turned = one("atlas-turn").value;
found.filled = filled();
choose("atlas-half", "both");
document.querySelector('[data-turn="-90"]').click();
const box = canvas.getBoundingClientRect(), before = one("atlas-region").value;
const at = { clientX: box.left + 0.45 * box.width, clientY: box.top + 0.62 * box.height, pointerId: 1, bubbles: true };
canvas.setPointerCapture = () => {};
canvas.dispatchEvent(new PointerEvent("pointerdown", at));
canvas.dispatchEvent(new PointerEvent("pointerup", at));
found.clicked = [before, one("atlas-region").value];
const kept = pixels();
canvas.dispatchEvent(new PointerEvent("pointerdown", at));
canvas.dispatchEvent(new PointerEvent("pointermove", { ...at, clientX: at.clientX + 40 }));
canvas.dispatchEvent(new PointerEvent("pointerup", at));
found.dragged = [kept, pixels()];
"""
GRAPHICS = {
    DOTS: ("--disable-gpu", "--disable-3d-apis"),
    SURFACE: ("--enable-unsafe-swiftshader", "--use-angle=swiftshader"),
}


def browse(html, folder, width, drawing=DOTS):
    path = folder / "index.html"
    use = USE.replace("DRAWING", drawing)
    path.write_text(html.replace("<head>", "<head>" + LISTEN, 1).replace("</body>", use + "</body>"), encoding="utf-8")
    quiet = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
    command = [BROWSER, "--headless", "--no-sandbox", *GRAPHICS[drawing], f"--window-size={width},1200", *quiet,
               "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder / 'profile'}", "--dump-dom",
               path.as_uri()]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return json.loads(unescape(re.search(r'<pre id="result">(.*?)</pre>', done.stdout, re.DOTALL).group(1)))


@pytest.fixture(scope="module")
def html(inputs, drawn):
    return page(inputs, drawn)


@pytest.fixture(scope="module")
def seen(html, tmp_path_factory):
    return browse(html, tmp_path_factory.mktemp("browser"), 1200)


def test_it_loads_without_errors_and_without_a_network(seen):
    assert seen["errors"] == []


def test_tables_sort_by_number_both_ways(seen):
    numbers = [float(cell) for cell in seen["rising"]]
    assert numbers == sorted(numbers)
    assert [float(cell) for cell in seen["falling"]] == numbers[::-1]
    assert sorted(seen["before"]) == sorted(seen["rising"])
    assert seen["said"] == "ascending"


def test_claims_that_cannot_be_tested_come_when_asked_for(seen):
    assert seen["hidden"] == seen["every"] > 0
    assert seen["shown"] == 0


def test_every_control_of_the_atlas_changes_the_picture(seen):
    steps = ["start", "model", "kernel", "layer", "region", "turned", "clicked"]
    pictures = [seen["atlas"][step] for step in steps]
    for before, after in pairwise(pictures):
        assert before != after
    assert seen["atlas"]["start"][2].startswith("V1, Visual: score ")
    assert seen["atlas"]["turned"][0] != seen["atlas"]["region"][0]
    assert seen["atlas"]["turned"][1] == seen["atlas"]["region"][1]


def test_without_webgl_dots_stand_in_for_the_surface(seen):
    assert seen["drawn"] == [True, True]


def test_the_surface_answers_to_buttons_keys_lists_and_clicks(html, tmp_path):
    seen = browse(html, tmp_path, 1200, SURFACE)
    if seen["drawn"] == [True, True]:
        pytest.skip("this chromium draws no WebGL")
    assert seen["errors"] == []
    pictures = list(seen["surface"].values())
    assert all(before != after for before, after in pairwise(pictures)), seen["surface"]
    assert seen["turned"] == "10"
    assert 0.1 < seen["filled"] < 0.9
    assert seen["clicked"][0] != seen["clicked"][1]
    assert seen["dragged"][0] != seen["dragged"][1]


def test_a_table_downloads_as_it_stands(seen):
    lines = seen["csv"].splitlines()
    assert lines[0].startswith('"reading","models","scores"')
    assert len(lines) == 5


def test_it_can_be_used_from_the_keyboard_and_every_control_has_a_name(seen):
    assert seen["reached"]
    assert seen["named"]


def test_on_a_phone_nothing_but_tables_and_figures_reaches_over_the_edge(html, tmp_path):
    phone = browse(html, tmp_path, 500)  # headless chromium has no narrower window
    assert phone["errors"] == []
    assert phone["overflow"] <= 0
