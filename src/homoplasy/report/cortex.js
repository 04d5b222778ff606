// The cortex in three dimensions: two hemispheres, drawn by WebGL, turned by hand, by keys or by a slider.
function brain(canvas, data, chosen) {
  const gl = canvas.getContext("webgl", { antialias: true, preserveDrawingBuffer: true });
  if (!gl) return null;
  const told = data.cortex;
  const raw = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
  const sides = told.sides.map((side) => ({
    name: side.name, parts: new Uint8Array(raw(side.parts)), depths: new Int8Array(raw(side.depths)),
    triangles: new Uint16Array(raw(side.triangles)),
    inflated: new Int16Array(raw(side.inflated)), folded: new Int16Array(raw(side.folded)),
  }));
  const program = gl.createProgram();
  const add = (kind, text) => {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  };
  add(gl.VERTEX_SHADER, `attribute vec3 place, normal; attribute vec3 colour; uniform vec2 turn, scale; uniform float lit;
    varying vec3 shown;
    vec3 turned(vec3 p) {
      float across = p.y * cos(turn.x) - p.x * sin(turn.x), near = p.x * cos(turn.x) + p.y * sin(turn.x);
      return vec3(across, p.z * cos(turn.y) - near * sin(turn.y), near * cos(turn.y) + p.z * sin(turn.y));
    }
    void main() {
      vec3 p = turned(place);
      gl_Position = vec4(p.xy * scale, -p.z / 400.0, 1.0);
      shown = colour * mix(1.0, 0.55 + 0.45 * max(turned(normal).z, 0.0), lit);
    }`);
  add(gl.FRAGMENT_SHADER, "precision mediump float; varying vec3 shown; void main() { gl_FragColor = vec4(shown, 1.0); }");
  gl.linkProgram(program);
  gl.useProgram(program);
  const uniform = (name) => gl.getUniformLocation(program, name);
  const buffers = {};
  const put = (name, values, kind, normalise) => {
    buffers[name] = buffers[name] || gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    const at = gl.getAttribLocation(program, name);
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, 3, kind, normalise, 0, 0);
  };
  const view = { turn: 0, tilt: 0, shape: "inflated", half: "both" };
  let faces = [], colours = [], top = 1;
  function shape() {  // corners of every triangle, each with the normal of its point
    const shown = sides.filter((side) => view.half === "both" || side.name === view.half);
    const count = shown.reduce((sum, side) => sum + side.triangles.length, 0);
    const place = new Float32Array(3 * count), normal = new Float32Array(3 * count);
    faces = [];
    let at = 0;
    for (const side of shown) {
      const points = Float32Array.from(side[view.shape], (value) => value * told.step);
      const middle = centre(side, points);
      for (let at = 0; at < points.length; at++) points[at] += middle[at % 3];
      const sums = normals(points, side.triangles);
      for (let corner = 0; corner < side.triangles.length; corner++, at++) {
        const point = 3 * side.triangles[corner];
        for (let axis = 0; axis < 3; axis++) {
          place[3 * at + axis] = points[point + axis];
          normal[3 * at + axis] = sums[point + axis];
        }
      }
      for (let face = 0; face < side.triangles.length; face += 3) {
        const [a, b, c] = [0, 1, 2].map((corner) => side.triangles[face + corner]);
        const parts = [a, b, c].map((point) => side.parts[point]);
        faces.push({ parts, edge: parts.some((part) => part !== parts[0]), depths: [a, b, c].map((point) => side.depths[point]) });
      }
    }
    put("place", place, gl.FLOAT, false);
    put("normal", normal, gl.FLOAT, false);
  }
  function centre(side, points) {  // what brings the middle of the picture to 0; inflated halves stand side by side
    const ends = [0, 1, 2].map(() => [Infinity, -Infinity]);
    points.forEach((value, at) => {
      const end = ends[at % 3];
      if (value < end[0]) end[0] = value;
      if (value > end[1]) end[1] = value;
    });
    const middle = ends.map(([low, high]) => -(low + high) / 2);
    if (view.half !== "both") return middle;
    const outwards = side.name === "left" ? -1 : 1;
    return [view.shape === "folded" ? 0 : middle[0] + (outwards * (ends[0][1] - ends[0][0])) / 2, middle[1], middle[2]];
  }
  function normals(points, triangles) {
    const sums = new Float32Array(points.length);
    for (let face = 0; face < triangles.length; face += 3) {
      const [a, b, c] = [0, 1, 2].map((corner) => 3 * triangles[face + corner]);
      const u = [0, 1, 2].map((axis) => points[b + axis] - points[a + axis]);
      const v = [0, 1, 2].map((axis) => points[c + axis] - points[a + axis]);
      const cross = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
      for (const point of [a, b, c]) for (let axis = 0; axis < 3; axis++) sums[point + axis] += cross[axis];
    }
    for (let point = 0; point < sums.length; point += 3) {
      const length = Math.hypot(sums[point], sums[point + 1], sums[point + 2]) || 1;
      for (let axis = 0; axis < 3; axis++) sums[point + axis] /= length;
    }
    return sums;
  }
  function paint(of) {  // a colour for every corner
    const bytes = new Uint8Array(9 * faces.length);
    faces.forEach((face, number) => {
      for (let corner = 0; corner < 3; corner++) bytes.set(of(face, corner), 9 * number + 3 * corner);
    });
    put("colour", bytes, gl.UNSIGNED_BYTE, true);
  }
  const ramp = told.stops.map((stop) => [1, 3, 5].map((at) => parseInt(stop.slice(at, at + 2), 16)));
  function shade(value) {
    const at = Math.max(0, Math.min(1, value / top)) * (ramp.length - 1), low = Math.min(Math.floor(at), ramp.length - 2);
    return ramp[low].map((from, channel) => Math.round(from + (at - low) * (ramp[low + 1][channel] - from)));
  }
  function ink(face, corner) {
    if (face.edge && face.parts.includes(chosen() + 1)) return [20, 20, 20];
    const part = face.parts[corner], grey = 188 - 20 * Math.max(-1, Math.min(1, face.depths[corner] / 8));
    return (part && colours[part - 1]) || [grey, grey, grey];
  }
  function show(lit) {
    const ratio = window.devicePixelRatio || 1, box = canvas.getBoundingClientRect();
    [canvas.width, canvas.height] = [Math.max(2, Math.round(box.width * ratio)), Math.max(2, Math.round(box.height * ratio))];
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.enable(gl.DEPTH_TEST);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    const unit = Math.min(canvas.width / 236, canvas.height / 176);  // pixels a millimetre at which all of it fits
    gl.uniform2f(uniform("scale"), (2 * unit) / canvas.width, (2 * unit) / canvas.height);
    gl.uniform2f(uniform("turn"), (view.turn * Math.PI) / 180, (view.tilt * Math.PI) / 180);
    gl.uniform1f(uniform("lit"), lit ? 1 : 0);
    gl.drawArrays(gl.TRIANGLES, 0, 3 * faces.length);
  }
  function redraw() { paint(ink); show(true); }
  function under(x, y) {  // the region at a place of the window: every region is drawn in a grey of its own
    const box = canvas.getBoundingClientRect(), found = new Uint8Array(4);
    paint((face) => Array(3).fill(face.parts[1] === face.parts[2] ? face.parts[1] : face.parts[0]));
    show(false);
    gl.readPixels(Math.round(((x - box.left) / box.width) * canvas.width), Math.round((1 - (y - box.top) / box.height) * canvas.height), 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, found);
    redraw();
    return found[3] ? found[0] - 1 : -1;
  }
  shape();
  new ResizeObserver(redraw).observe(canvas);
  return {
    view,
    colour(values, highest) { top = highest; colours = values.map((value) => (Number.isNaN(value) ? null : shade(value))); redraw(); },
    turn() { show(true); },
    shape() { shape(); redraw(); },
    under,
  };
}
