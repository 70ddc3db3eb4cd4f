// The points of a map as arrays: unpacking, which are in a shape, which is nearest. No page is needed to test this.

const ARRAYS = {
  f4: Float32Array, u1: Uint8Array, i1: Int8Array, u2: Uint16Array, i2: Int16Array, u4: Uint32Array,
};

// An array that came as its little-endian bytes in base64.
function unpack({ type, bytes }) {
  return new ARRAYS[type](bytesOf(bytes).buffer);
}

// Whether a place is inside a polygon of [x, y] corners, by the crossings of a ray.
function insidePolygon(corners, x, y) {
  let inside = false;
  for (let i = 0, j = corners.length - 1; i < corners.length; j = i++) {
    const [xi, yi] = corners[i];
    const [xj, yj] = corners[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

// The numbers of the points inside a polygon for which `counts(i)` holds.
function pointsInside(x, y, corners, counts) {
  const xs = corners.map((corner) => corner[0]);
  const ys = corners.map((corner) => corner[1]);
  const [left, right, bottom, top] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const found = [];
  for (let i = 0; i < x.length; i++) {
    if (x[i] < left || x[i] > right || y[i] < bottom || y[i] > top || !counts(i)) continue;
    if (insidePolygon(corners, x[i], y[i])) found.push(i);
  }
  return found;
}

// Points in the cells of a grid, so that those near a place are found at once.
function pointGrid(x, y, [left, right, bottom, top]) {
  const side = Math.max(1, Math.min(160, Math.floor(Math.sqrt(x.length / 4))));
  const column = (value) => Math.max(0, Math.min(side - 1, Math.floor(((value - left) / (right - left)) * side)));
  const row = (value) => Math.max(0, Math.min(side - 1, Math.floor(((value - bottom) / (top - bottom)) * side)));
  const starts = new Uint32Array(side * side + 1);
  const cells = new Uint32Array(x.length);
  for (let i = 0; i < x.length; i++) starts[(cells[i] = row(y[i]) * side + column(x[i])) + 1]++;
  for (let c = 0; c < side * side; c++) starts[c + 1] += starts[c];
  const order = new Uint32Array(x.length);
  const next = starts.slice();
  for (let i = 0; i < x.length; i++) order[next[cells[i]]++] = i;
  return {
    // The points within `radius` of a place for which `counts(i)` holds, nearest first, at most `most`.
    near(px, py, radius, counts, most = 1) {
      const found = [];
      for (let r = row(py - radius); r <= row(py + radius); r++) {
        for (let c = column(px - radius); c <= column(px + radius); c++) {
          for (let k = starts[r * side + c]; k < starts[r * side + c + 1]; k++) {
            const i = order[k];
            const far = (x[i] - px) ** 2 + (y[i] - py) ** 2;
            if (far <= radius * radius && counts(i)) found.push([far, i]);
          }
        }
      }
      return found.sort((a, b) => a[0] - b[0]).slice(0, most).map((pair) => pair[1]);
    },
  };
}

// The colours of one choice: `code(i)` of a point, and the swatches that its legend has. Greys are for what is no value.
function colouring(reply, name, state, look) {
  const { colors } = look;
  const grey = look.layout.modebar.color;
  if (name === "window") {
    const label = (code) => `${["before", "after"][code]}: ${state.windows[code]}`;
    const swatches = [0, 1].map((code) => ({ label: label(code), color: colors[code ? 5 : 0] }));
    return { kind: "values", codes: state.window, swatches: [...swatches, { label: "in neither window", color: grey, quiet: true }] };
  }
  if (name === "cluster") {
    const names = state.clusters?.byNumber ?? new Map();
    const count = Math.max(-1, ...names.keys()) + 1;
    const swatches = Array.from({ length: count }, (_, k) => ({ label: names.get(k) ?? `group ${k}`, color: colors[k % 7] }));
    const codes = Uint16Array.from(state.cluster ?? new Int16Array(state.n).fill(-1), (k) => (k < 0 || k >= count ? count : k));
    return { kind: "values", codes, swatches: [...swatches, { label: "outliers", color: grey, quiet: true }], many: true };
  }
  if (name === "day") {
    return { kind: "numbers", numbers: Float32Array.from(state.day), low: 0, high: Math.max(1, state.days.length - 1),
      show: (value) => state.days[Math.round(value)] ?? "" };
  }
  if (reply.kind === "numbers") return { kind: "numbers", numbers: unpack(reply.numbers), low: reply.low, high: reply.high, show: shortNumber };
  const swatches = reply.labels.map((label, k) => ({ label, color: k < reply.plain ? colors[k % 8] : grey, quiet: k >= reply.plain }));
  return { kind: "values", codes: unpack(reply.codes), swatches };
}

// The colour of a number in a scale, in 32 steps; null where it is not known.
function shade(scale, { numbers, low, high }, i) {
  if (!Number.isFinite(numbers[i])) return null;
  const part = Math.round(31 * Math.max(0, Math.min(1, (numbers[i] - low) / (high - low || 1)))) / 31;
  const at = Math.min(scale.length - 2, Math.floor(part * (scale.length - 1)));
  const mix = part * (scale.length - 1) - at;
  const channel = (color, k) => parseInt(color.slice(1 + 2 * k, 3 + 2 * k), 16);
  return `rgb(${[0, 1, 2].map((k) => Math.round(channel(scale[at], k) + mix * (channel(scale[at + 1], k) - channel(scale[at], k)))).join(",")})`;
}

const shortNumber = (value) => (Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(3))));
