// The picture: density under the points, the points by WebGL through plotly, names and shapes over them.

const SIZES = [[1500, 7], [6000, 5.5], [20000, 4], [60000, 3], [Infinity, 2.5]];
const ROUNDS = 4; // in which the colours take turns, so that none lies over all others
const VEIL = 0.84;
const FAINT = { light: "#e1e4e9", dark: "#2a2f38" }; // opaque: many over each other must not become dark

function canvasOver(className) {
  const canvas = document.createElement("canvas");
  canvas.className = className;
  canvas.setAttribute("aria-hidden", "true");
  return canvas;
}

// `state` holds the points; `isShown(i)` says whether a point is drawn, `isLit(i)` whether it is in what is selected and
// in the day. What is lit is drawn over a veil on all others: to draw 50,000 points anew at each choice would be felt.
function mapStage(view, state, on) {
  const under = canvasOver("lm-under");
  const over = canvasOver("lm-over");
  const labels = h("div", { class: "lm-labels", "aria-hidden": "true" });
  const frame = plane();
  const area = plotArea(view, figure, { staticPlot: true });
  const surface = h("div", { class: "lm-surface", tabindex: "0", role: "application", "data-pane": "map", "aria-label": "Map" },
    under, area.element, over, labels);
  let boxes = [];    // of the names that are shown: {left, top, right, bottom, number}
  let spot = null;   // the cluster that is pointed at
  let ring = -1;     // the point that is hovered
  let shape = null;  // what is being drawn
  let grid = null;
  let waiting = 0;
  const mode = () => (view.root.dataset.theme === "dark" ? "dark" : "light");

  // Points ------------------------------------------------------------------------------------------------------

  function figure(theme) {
    const look = state.looks[theme];
    const [xs, ys] = frame.ranges();
    const axis = (range) => ({ range, visible: false, fixedrange: true, autorange: false });
    return {
      data: state.n ? traces(look, theme) : [],
      layout: { template: { layout: look.layout }, margin: { l: 0, r: 0, t: 0, b: 0 }, xaxis: axis(xs), yaxis: axis(ys),
        showlegend: false, hovermode: false, dragmode: false, plot_bgcolor: "rgba(0,0,0,0)", paper_bgcolor: "rgba(0,0,0,0)" },
    };
  }

  const dotSize = () => SIZES.find(([most]) => state.n <= most)[1];

  function traces(look, theme) {
    const { n, x, y } = state;
    const size = dotSize();
    const colours = state.colours(look);
    const shown = [];
    for (let i = 0; i < n; i++) if (state.isShown(i)) shown.push(i);
    const dots = (rows, marker) => ({
      type: "scattergl", mode: "markers", hoverinfo: "skip",
      x: Float32Array.from(rows, (i) => x[i]), y: Float32Array.from(rows, (i) => y[i]),
      marker: { size, line: { width: 0 }, ...marker },
    });
    const made = [];
    if (colours.kind === "numbers") {
      const known = shown.filter((i) => Number.isFinite(colours.numbers[i]));
      const unknown = shown.filter((i) => !Number.isFinite(colours.numbers[i]));
      const scale = look.scale.map((color, k) => [k / (look.scale.length - 1), color]);
      if (unknown.length) made.push(dots(unknown, { color: FAINT[theme] }));
      made.push(dots(known, { color: Float32Array.from(known, (i) => colours.numbers[i]), colorscale: scale,
        cmin: colours.low, cmax: colours.high, opacity: 0.85 }));
      return made;
    }
    const groups = colours.swatches.map(() => Array.from({ length: ROUNDS }, () => []));
    // A point's turn is by its number's hash: rows are in order of time, and neighbours in time must not stick together.
    for (const i of shown) groups[colours.codes[i]]?.[(Math.imul(i, 2654435761) >>> 16) % ROUNDS].push(i);
    const order = groups.map((_, k) => k).sort((a, b) => Number(Boolean(colours.swatches[b].quiet)) - Number(Boolean(colours.swatches[a].quiet)));
    for (let round = 0; round < ROUNDS; round++) {
      for (const k of order) {
        const { color, quiet } = colours.swatches[k];
        if (groups[k][round].length) made.push(dots(groups[k][round], { color, opacity: quiet ? 0.45 : 0.78 }));
      }
    }
    return made;
  }

  async function paint() {
    measure();
    await area.draw();
    overlay();
  }

  // The window on the map is another: only the ranges change.
  function reframe() {
    waiting ||= requestAnimationFrame(async () => {
      waiting = 0;
      if (!area.element.data) return;
      const [xs, ys] = frame.ranges();
      const plotly = await loadPlotly(view);
      await plotly.relayout(area.element, { "xaxis.range": xs, "yaxis.range": ys });
      overlay();
    });
  }

  function measure() {
    const { clientWidth: w, clientHeight: h } = surface;
    if (!w || !h) return false;
    const changed = w !== frame.width || h !== frame.height;
    if (changed) frame.resize(w, h);
    const dense = globalThis.devicePixelRatio || 1;
    if (over.width !== Math.round(w * dense) || over.height !== Math.round(h * dense)) {
      over.width = Math.round(w * dense);
      over.height = Math.round(h * dense);
    }
    return changed;
  }

  // Density -----------------------------------------------------------------------------------------------------

  function paintDensity() {
    const density = state.density;
    under.hidden = !density || !state.withDensity();
    if (under.hidden) return;
    const { size, cells } = density;
    under.width = under.height = size;
    const picture = new ImageData(size, size);
    const look = state.looks[mode()];
    const part = (color, k) => parseInt(color.slice(1 + 2 * k, 3 + 2 * k), 16);
    const sides = [look.colors[0], look.colors[5]].map((color) => [0, 1, 2].map((k) => part(color, k)));
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        const value = cells[row * size + column] / 127;
        const at = 4 * ((size - 1 - row) * size + column);
        picture.data.set(sides[value > 0 ? 1 : 0], at);
        picture.data[at + 3] = Math.round(255 * 0.4 * Math.abs(value) ** 0.7);
      }
    }
    under.getContext("2d").putImageData(picture, 0, 0);
  }

  function placeDensity() {
    if (under.hidden || !state.density) return;
    const [left, right, bottom, top] = state.density.extent;
    const sides = { left: frame.x(left), top: frame.y(top), width: frame.x(right) - frame.x(left), height: frame.y(bottom) - frame.y(top) };
    for (const [key, value] of Object.entries(sides)) under.style.setProperty(key, `${value}px`);
  }

  // Names and shapes --------------------------------------------------------------------------------------------

  // The clusters that have points in what is selected or in the day; null when all have their colour.
  function litClusters() {
    if (!state.selected && state.dayOn < 0) return null;
    const found = new Set();
    for (let i = 0; i < state.n; i++) if (state.isShown(i) && state.isLit(i)) found.add(state.cluster?.[i]);
    return found;
  }

  // The largest clusters and those that changed are named first; a name that has no room is left out.
  function placeLabels() {
    boxes = [];
    labels.replaceChildren();
    if (!state.clusters || !state.withLabels()) return;
    const made = state.clusters.rows.filter((row) => row.x !== null && row.cluster >= 0)
      .sort((a, b) => Number(b.clear) - Number(a.clear) || b.size - a.size)
      .map((row) => ({ row, element: h("div", { class: "lm-label", "data-cluster": row.cluster, "data-change": row.clear ? row.change : null,
        "data-spot": row.cluster === spot ? "" : null },
      row.clear && h("span", { class: "lm-arrow" }, row.change === "grew" ? "▲ " : "▼ "), oneLine(row.short, 60)) }));
    put(labels, made.map((each) => each.element));
    const lit = litClusters();
    const middles = made.map(({ row }) => ({ left: frame.x(row.x) - 5, right: frame.x(row.x) + 5, top: frame.y(row.y) - 5, bottom: frame.y(row.y) + 5, number: row.cluster }));
    const meets = (a, b) => a.left < b.right + 3 && a.right > b.left - 3 && a.top < b.bottom && a.bottom > b.top;
    for (const { row, element } of made) {
      element.toggleAttribute("data-dim", lit !== null && !lit.has(row.cluster));
      const [x, y, w, h_] = [frame.x(row.x), frame.y(row.y), element.offsetWidth, element.offsetHeight];
      const outside = x < 0 || y < 0 || x > frame.width || y > frame.height;
      const left = Math.max(2, Math.min(frame.width - w - 2, x - w / 2));
      // Above its points, or else below them: a name must not hide what it names.
      const place = outside ? null : [-h_ - 7, 8, -2 * h_ - 7, h_ + 8].map((step) => y + step)
        .find((top) => {
          const box = { left, right: left + w, top, bottom: top + h_ };
          return top >= 0 && box.bottom <= frame.height && !boxes.some((b) => meets(box, b)) && !middles.some((m) => m.number !== row.cluster && meets(box, m));
        });
      if (place === undefined || place === null) { element.remove(); continue; }
      element.style.setProperty("left", `${left}px`);
      element.style.setProperty("top", `${place}px`);
      boxes.push({ left, top: place, right: left + w, bottom: place + h_, number: row.cluster });
    }
  }

  function drawOver() {
    const pen = over.getContext("2d");
    const dense = globalThis.devicePixelRatio || 1;
    const ink = getComputedStyle(view.root);
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.clearRect(0, 0, frame.width, frame.height);
    const accent = ink.getPropertyValue("--lm-accent").trim() || "#2456d6";
    if (state.n && (state.selected || state.dayOn >= 0)) light(pen, ink.getPropertyValue("--lm-bg").trim() || "#fff");
    if (spot !== null && state.cluster) {
      pen.fillStyle = accent;
      for (let i = 0; i < state.n; i++) {
        if (state.cluster[i] === spot && state.isShown(i)) dot(pen, i, Math.max(2, dotSize() / 2));
      }
    }
    if (ring >= 0) {
      pen.strokeStyle = ink.getPropertyValue("--lm-text").trim() || "#000";
      pen.lineWidth = 2;
      pen.beginPath();
      pen.arc(frame.x(state.x[ring]), frame.y(state.y[ring]), 7, 0, 7);
      pen.stroke();
    }
    if (shape) {
      pen.strokeStyle = pen.fillStyle = accent;
      pen.lineWidth = 1.5;
      pen.setLineDash([5, 3]);
      pen.beginPath();
      shape.forEach(([x, y], k) => (k ? pen.lineTo(x, y) : pen.moveTo(x, y)));
      pen.closePath();
      pen.stroke();
      pen.globalAlpha = 0.1;
      pen.fill();
      pen.globalAlpha = 1;
      pen.setLineDash([]);
    }
  }

  // A veil over all points, and over it those that are lit, colour by colour.
  function light(pen, ground) {
    const look = state.looks[mode()];
    const colours = state.colours(look);
    const radius = dotSize() / 2;
    const groups = new Map();
    for (let i = 0; i < state.n; i++) {
      if (!state.isShown(i) || !state.isLit(i)) continue;
      const color = colours.kind === "numbers" ? shade(look.scale, colours, i) ?? FAINT[mode()] : colours.swatches[colours.codes[i]].color;
      if (!groups.has(color)) groups.set(color, []);
      groups.get(color).push(i);
    }
    pen.globalAlpha = VEIL;
    pen.fillStyle = ground;
    pen.fillRect(0, 0, frame.width, frame.height);
    pen.globalAlpha = 0.85;
    for (const [color, rows] of groups) {
      pen.fillStyle = color;
      for (const i of rows) dot(pen, i, radius);
    }
    pen.globalAlpha = 1;
  }

  // Squares so small look like discs, and are ten times as quick.
  function dot(pen, i, radius) {
    const [x, y] = [frame.x(state.x[i]), frame.y(state.y[i])];
    if (radius <= 2) return pen.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
    pen.beginPath();
    pen.arc(x, y, radius, 0, 7);
    pen.fill();
  }

  function overlay() {
    placeDensity();
    placeLabels();
    drawOver();
  }

  // Pointing ----------------------------------------------------------------------------------------------------

  const labelAt = (px, py) => boxes.find((b) => px >= b.left && px <= b.right && py >= b.top && py <= b.bottom)?.number ?? null;
  const pointAt = (px, py, most = 1, radius = 9) =>
    grid?.near(frame.placeX(px), frame.placeY(py), frame.length(radius), (i) => state.isShown(i) && state.isInDay(i), most) ?? [];

  const pointer = pointerOn(view, surface, (drawn) => { shape = drawn; drawOver(); }, () => state.tool, {
    shape(corners, add) {
      const places = corners.map(([px, py]) => [frame.placeX(px), frame.placeY(py)]);
      on.choose(pointsInside(state.x, state.y, places, (i) => state.isShown(i) && state.isInDay(i)), add);
    },
    click(px, py, add) {
      const [row] = pointAt(px, py);
      const number = row === undefined ? labelAt(px, py) : null;
      if (number !== null) on.cluster(number, add);
      else on.choose(row === undefined ? [] : [row], add);
    },
    hover(px, py) {
      const rows = px === null ? [] : pointAt(px, py, 12, 30);
      const [row] = px === null ? [] : pointAt(px, py);
      const number = row === undefined && px !== null ? labelAt(px, py) : null;
      surface.toggleAttribute("data-target", row !== undefined || number !== null);
      if (ring !== (row ?? -1)) {
        ring = row ?? -1;
        drawOver();
      }
      on.hover(row ?? null, px, py, rows);
    },
    pan(dx, dy) { frame.pan(dx, dy); reframe(); },
    zoom(factor, px, py) { frame.zoom(factor, px, py); reframe(); },
    fit() { fit(); },
  });

  function fit() {
    frame.fit(state.extent);
    reframe();
  }

  const sized = new ResizeObserver(() => { if (measure() && area.element.data) reframe(); });
  sized.observe(surface);
  const themed = new MutationObserver(() => { if (state.n) { paintDensity(); requestAnimationFrame(overlay); } });
  themed.observe(view.root, { attributes: true, attributeFilter: ["data-theme"] });
  view.signal.addEventListener("abort", () => { sized.disconnect(); themed.disconnect(); cancelAnimationFrame(waiting); });

  return {
    element: surface, paint, overlay, fit, pointer,
    get zoomed() { return frame.zoomed; },
    // The points are elsewhere.
    moved({ keep = false } = {}) {
      grid = pointGrid(state.x, state.y, state.extent);
      measure();
      if (!keep) frame.fit(state.extent);
      paintDensity();
    },
    density() {
      paintDensity();
      placeDensity();
    },
    zoom(factor) { frame.zoom(factor); reframe(); },
    pan(dx, dy) { frame.pan(dx, dy); reframe(); },
    // Point at a cluster; null at none.
    point(number) {
      if (spot === number) return;
      spot = number;
      placeLabels();
      drawOver();
    },
    get spot() { return spot; },
    // The named cluster that is nearest to the one pointed at, on that side.
    beside(dx, dy) {
      const middle = (b) => [(b.left + b.right) / 2, (b.top + b.bottom) / 2];
      const from = boxes.find((b) => b.number === spot);
      if (!from) return boxes[0]?.number ?? null;
      const [x, y] = middle(from);
      let best = null;
      for (const box of boxes) {
        const [bx, by] = middle(box);
        const along = (bx - x) * dx + (by - y) * dy;
        const aside = Math.abs((bx - x) * dy) + Math.abs((by - y) * dx);
        if (box !== from && along > 1 && (!best || along + 2 * aside < best.far)) best = { far: along + 2 * aside, number: box.number };
      }
      return best?.number ?? spot;
    },
  };
}
