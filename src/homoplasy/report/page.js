"use strict";
// Numbers are written for readers: a real minus, powers of ten as superscripts, an interval after the value.
const POWERS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
function key(text) {
  const plain = text.trim().replace(/−/g, "-").replace(/,(?=\d{3})/g, "");
  const power = plain.match(/^(-?[\d.]+) × 10(⁻?)([⁰¹²³⁴⁵⁶⁷⁸⁹]+)/);
  if (power) {
    const exponent = [...power[3]].map((digit) => POWERS.indexOf(digit)).join("");
    return Number(power[1]) * 10 ** Number((power[2] ? "-" : "") + exponent);
  }
  const number = plain.match(/^-?\d+(\.\d+)?(e-?\d+)?/);
  return number ? Number(number[0]) : text.trim().toLowerCase();
}
function compare(one, other) {
  if (typeof one === "number" && typeof other === "number") return one - other;
  if (typeof one === typeof other) return one < other ? -1 : one > other ? 1 : 0;
  return typeof one === "number" ? -1 : 1;
}
function sort(table, column, heading) {
  const rising = heading.getAttribute("aria-sort") !== "ascending";
  for (const cell of table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", rising ? "ascending" : "descending");
  const rows = [...table.tBodies[0].rows].map((row) => [key(row.cells[column].textContent), row]);
  rows.sort((a, b) => (rising ? 1 : -1) * compare(a[0], b[0]));
  table.tBodies[0].append(...rows.map(([, row]) => row));
}
for (const table of document.querySelectorAll("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    button.addEventListener("click", () => sort(table, column, heading));
    heading.replaceChildren(button);
  });
}
function csv(table) {
  const quoted = (cell) => {
    const copy = cell.cloneNode(true);
    for (const part of copy.querySelectorAll("details")) part.remove();
    for (const part of copy.querySelectorAll("small")) part.prepend(" | ");
    return `"${copy.textContent.trim().replace(/\s+/g, " ").replace(/"/g, '""')}"`;
  };
  return [...table.rows].map((row) => [...row.cells].map(quoted).join(",")).join("\n") + "\n";
}
for (const button of document.querySelectorAll("button[data-csv]")) {
  button.addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csv(document.getElementById(`table-${button.dataset.csv}`))], { type: "text/csv" }));
    link.download = `${button.dataset.csv}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}
const every = document.getElementById("all-claims");
function choose() {
  for (const row of document.querySelectorAll("tr.untestable")) row.classList.toggle("hidden", !every.checked);
}
every.addEventListener("change", choose);
choose();

const held = document.getElementById("atlas-data");
if (held) atlas(JSON.parse(held.textContent));

function atlas(data) {
  const at = (name) => document.getElementById(`atlas-${name}`);
  const bytes = Uint8Array.from(atob(data.values), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const rows = data.models.reduce((sum, model) => sum + model.layers.length, 0);
  const score = (kernel, row, region) => {
    const stored = view.getInt16(2 * ((kernel * rows + row) * data.regions.length + region), true);
    return stored === data.none ? NaN : stored * data.step;
  };
  const fill = (select, names) =>
    select.replaceChildren(...names.map((name, number) => new Option(name, number)));
  const said = (value) => (Number.isNaN(value) ? "–" : value.toFixed(3).replace("-", "−"));
  const made = (tag, facts, text) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(facts)) node.setAttribute(name, value);
    if (text !== undefined) node.textContent = text;
    return node;
  };
  fill(at("model"), data.models.map((model) => model.name));
  fill(at("kernel"), data.kernels);
  fill(at("region"), data.regions.map((region) => region.name));
  const model = () => data.models[at("model").value];
  function layers() {
    fill(at("layer"), model().layers.map((name, number) => `${name} (depth ${model().depths[number].toFixed(2)})`));
    at("layer").value = Math.max(0, model().depths.findIndex((depth) => depth >= 0.749));
  }
  const globe = data.cortex ? brain(at("cortex"), data, () => Number(at("region").value)) : null;
  for (const part of document.querySelectorAll("[data-with]")) part.hidden = (part.dataset.with === "surface") !== Boolean(globe);
  function draw() {
    const [kernel, layer, chosen] = ["kernel", "layer", "region"].map((name) => Number(at(name).value));
    const values = data.regions.map((_, region) => score(kernel, model().first + layer, region));
    let top = 0;
    for (let row = 0; row < model().layers.length; row++)
      data.regions.forEach((_, region) => (top = Math.max(top, score(kernel, model().first + row, region) || 0)));
    if (globe) surface(values, top || 1);
    else map(values, chosen, top || 1);
    at("map-title").textContent = `${model().name}, ${model().layers[layer]}`;
    profile(kernel, chosen, layer, top || 1);
    neighbours();
  }
  function map(values, chosen, top) {
    const angle = (Number(at("turn").value) * Math.PI) / 180;
    const dots = data.regions.map((region, number) => ({ region, number })).filter(({ region }) => region.place);
    for (const dot of dots) {
      const [side, front, up] = dot.region.place;
      const [x, y] = [side - 30, front + 15];
      dot.x = 230 + 2.7 * (y * Math.cos(angle) - x * Math.sin(angle));
      dot.near = x * Math.cos(angle) + y * Math.sin(angle);
      dot.y = 195 - 2.7 * up;
    }
    dots.sort((a, b) => a.near - b.near);
    const colour = model().modality === "vision" ? "var(--vision)" : "var(--language)";
    const few = dots.length <= 60;
    const nodes = dots.flatMap((dot) => {
      const value = values[dot.number];
      const radius = 3 + Math.min(11, Math.sqrt(dot.region.voxels || 1) / (few ? 1.6 : 3));
      const alpha = Number.isNaN(value) ? 0 : Math.max(0, Math.min(1, value / top));
      const here = dot.number === chosen;
      const circle = { cx: dot.x.toFixed(1), cy: dot.y.toFixed(1), r: radius.toFixed(1) };
      const back = made("circle", { ...circle, fill: "var(--paper)" });
      const disc = made("circle", { ...circle, fill: colour, "fill-opacity": alpha.toFixed(3),
        stroke: here ? "var(--ink)" : dot.region.colour, "stroke-width": here ? 3 : 1.2 });
      disc.append(made("title", {}, `${dot.region.name} (${dot.region.network}): ${said(value)}`));
      disc.addEventListener("click", () => { at("region").value = dot.number; draw(); });
      const label = made("text", { x: dot.x.toFixed(1), y: (dot.y - radius - 2).toFixed(1), "text-anchor": "middle",
        "font-size": here ? 12 : 8, "font-weight": here ? 700 : 400, fill: "var(--ink)" }, dot.region.name);
      return few || here ? [back, disc, label] : [back, disc];
    });
    const lacking = data.regions.length - dots.length;
    nodes.push(made("text", { x: 8, y: 322, "font-size": 10, fill: "var(--muted)" },
      `0 to ${said(top)}${lacking ? `; ${lacking} regions have no place` : ""}`));
    const side = ((Number(at("turn").value) + 360) % 360);
    const ends = { 0: ["back", "front"], 180: ["front", "back"], 90: ["side", "middle"], 270: ["middle", "side"] }[side];
    if (ends) ends.forEach((end, number) => nodes.push(made("text", { x: number ? 452 : 8, y: 14, "font-size": 10,
      "text-anchor": number ? "end" : "start", fill: "var(--muted)" }, end)));
    at("map").replaceChildren(...nodes);
    mark();
  }
  function mark() {
    for (const button of document.querySelectorAll("[data-turn]"))
      button.setAttribute("aria-current", button.dataset.turn === at("turn").value && (!globe || button.dataset.tilt === String(globe.view.tilt)));
  }
  function surface(values, top) {
    globe.view.turn = Number(at("turn").value);
    globe.colour(values, top);
    at("top").textContent = said(top);
    mark();
  }
  function turn(turned, tilted) {
    const angle = ((((turned + 180) % 360) + 360) % 360) - 180;
    at("turn").value = angle;
    if (!globe) { draw(); return; }
    globe.view.turn = angle;
    globe.view.tilt = Math.max(-90, Math.min(90, tilted));
    globe.turn();
    mark();
  }
  function profile(kernel, chosen, layer, top) {
    const region = data.regions[chosen];
    const colour = model().modality === "vision" ? "var(--vision)" : "var(--language)";
    const points = model().depths.map((depth, row) => [depth, score(kernel, model().first + row, chosen)]);
    const highest = Math.max(top, region.ceiling || 0);
    const lowest = Math.min(0, ...points.map(([, value]) => value || 0));
    const x = (depth) => 44 + 340 * depth;
    const y = (value) => 200 - (180 * (value - lowest)) / (highest - lowest);
    const nodes = [0, 0.25, 0.5, 0.75, 1].map((depth) =>
      made("text", { x: x(depth), y: 218, "font-size": 10, "text-anchor": "middle", fill: "var(--muted)" }, depth));
    nodes.push(made("text", { x: x(0.5), y: 235, "font-size": 10, "text-anchor": "middle", fill: "var(--muted)" }, "relative depth of the layer"));
    for (const value of [0, highest / 2, highest]) {
      nodes.push(made("line", { x1: 44, x2: 384, y1: y(value), y2: y(value), stroke: "var(--faint)" }));
      nodes.push(made("text", { x: 39, y: y(value) + 3, "font-size": 10, "text-anchor": "end", fill: "var(--muted)" }, value.toFixed(2)));
    }
    if (region.ceiling) {
      nodes.push(made("line", { x1: 44, x2: 384, y1: y(region.ceiling), y2: y(region.ceiling), stroke: "var(--ink)", "stroke-dasharray": "4 3" }));
      nodes.push(made("text", { x: 384, y: y(region.ceiling) - 4, "font-size": 10, "text-anchor": "end", fill: "var(--ink)" }, "noise ceiling (linear kernel)"));
    }
    const known = points.filter(([, value]) => !Number.isNaN(value));
    nodes.push(made("polyline", { points: known.map(([depth, value]) => `${x(depth).toFixed(1)},${y(value).toFixed(1)}`).join(" "), fill: "none", stroke: colour, "stroke-width": 2 }));
    points.forEach(([depth, value], row) => {
      if (!Number.isNaN(value)) nodes.push(made("circle", { cx: x(depth), cy: y(value), r: row === layer ? 6 : 3, fill: colour, stroke: row === layer ? "var(--ink)" : "none" }));
    });
    at("profile").replaceChildren(...nodes);
    at("profile-title").textContent = `${region.name} through the layers`;
    at("said").textContent = `${region.name}, ${region.network || "no network"}: score ${said(points[layer][1])} at depth ${points[layer][0].toFixed(2)}, ${data.kernels[kernel]}; ceiling ${region.ceiling === null ? "not known" : said(region.ceiling)}.`;
  }
  function neighbours() {
    const place = data.tree.indexOf(model().name);
    if (place < 0) { at("tree").textContent = "This model is not in the tree."; return; }
    const near = data.tree.slice(Math.max(0, place - 3), place + 4);
    at("tree").replaceChildren(...near.map((name) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.setAttribute("aria-current", name === model().name);
      button.addEventListener("click", () => {
        const number = data.models.findIndex((one) => one.name === name);
        if (number >= 0) { at("model").value = number; layers(); draw(); }
      });
      return button;
    }));
  }
  at("model").addEventListener("change", () => { layers(); draw(); });
  for (const name of ["kernel", "layer", "region"]) at(name).addEventListener("change", draw);
  at("turn").addEventListener("input", () => turn(Number(at("turn").value), globe ? globe.view.tilt : 0));
  for (const button of document.querySelectorAll("[data-turn]"))
    button.addEventListener("click", () => turn(Number(button.dataset.turn), Number(button.dataset.tilt)));
  if (globe) hands();
  function hands() {
    const canvas = at("cortex"), view = globe.view;
    const steps = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, 10], ArrowDown: [0, -10] };
    canvas.addEventListener("keydown", (event) => {
      const step = steps[event.key];
      if (!step) return;
      event.preventDefault();
      turn(view.turn + step[0], view.tilt + step[1]);
    });
    let from = null;
    canvas.addEventListener("pointerdown", (event) => {
      from = { x: event.clientX, y: event.clientY, turn: view.turn, tilt: view.tilt, moved: false };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!from) return;
      const [x, y] = [event.clientX - from.x, event.clientY - from.y];
      from.moved = from.moved || Math.hypot(x, y) > 4;
      if (from.moved) turn(from.turn + x / 2, from.tilt + y / 2);
    });
    canvas.addEventListener("pointerup", (event) => {
      const still = from && !from.moved;
      from = null;
      const region = still ? globe.under(event.clientX, event.clientY) : -1;
      if (region >= 0) { at("region").value = region; draw(); }
    });
    for (const name of ["shape", "half"])
      at(name).addEventListener("change", () => { view[name] = at(name).value; globe.shape(); });
  }
  const start = data.regions.findIndex((region) => region.name === "V1");
  at("region").value = Math.max(0, start);
  at("model").value = Math.max(0, data.models.findIndex((one) => data.tree.includes(one.name) && one.depths.length > 3 && !one.name.startsWith("checkpoint:")));
  layers();
  draw();
}
