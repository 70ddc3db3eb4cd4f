// The picture: density under the points, the points by WebGL through plotly, names and shapes over them.

const VEIL = 0.84;

function canvasOver(className) {
  const canvas = document.createElement("canvas");
  canvas.className = className;
  canvas.setAttribute("aria-hidden", "true");
  return canvas;
}

// `state` holds the points; `isShown(i)` says whether a point is drawn, `isLit(i)` whether it is in what is selected and
// in the day. What is lit is drawn over a veil on all others: to draw 50,000 points anew at each choice would be felt.
function mapStage(view, state, on) {
  const over = canvasOver("lm-over");
  const frame = plane();
  const mode = () => (view.root.dataset.theme === "dark" ? "dark" : "light");
  const density = mapDensity(state, frame, mode);
  const names = mapNames(state, frame);
  const area = plotArea(view, figure, { staticPlot: true });
  const surface = h("div", { class: "lm-surface", tabindex: "0", role: "application", "data-pane": "map", "aria-label": "Map" },
    density.element, area.element, over, names.element);
  let spot = null;   // the cluster that is pointed at
  let ring = -1;     // the point that is hovered
  let shape = null;  // what is being drawn
  let grid = null;
  let waiting = 0;

  // Points ------------------------------------------------------------------------------------------------------

  function figure(theme) {
    const look = state.looks[theme];
    const [xs, ys] = frame.ranges();
    const axis = (range) => ({ range, visible: false, fixedrange: true, autorange: false });
    return {
      data: state.n ? dotTraces(state, look, theme) : [],
      layout: { template: { layout: look.layout }, margin: { l: 0, r: 0, t: 0, b: 0 }, xaxis: axis(xs), yaxis: axis(ys),
        showlegend: false, hovermode: false, dragmode: false, plot_bgcolor: "rgba(0,0,0,0)", paper_bgcolor: "rgba(0,0,0,0)" },
    };
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

  // What is drawn over the points --------------------------------------------------------------------------------

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
        if (state.cluster[i] === spot && state.isShown(i)) dot(pen, i, Math.max(2, dotSize(state.n) / 2));
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
    const radius = dotSize(state.n) / 2;
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
    density.place();
    names.place(spot);
    drawOver();
  }

  // Pointing ----------------------------------------------------------------------------------------------------

  const pointAt = (px, py, most = 1, radius = 9) =>
    grid?.near(frame.placeX(px), frame.placeY(py), frame.length(radius), (i) => state.isShown(i) && state.isInDay(i), most) ?? [];

  const pointer = pointerOn(view, surface, (drawn) => { shape = drawn; drawOver(); }, () => state.tool, {
    shape(corners, add) {
      const places = corners.map(([px, py]) => [frame.placeX(px), frame.placeY(py)]);
      on.choose(pointsInside(state.x, state.y, places, (i) => state.isShown(i) && state.isInDay(i)), add);
    },
    click(px, py, add) {
      const [row] = pointAt(px, py);
      const number = row === undefined ? names.at(px, py) : null;
      if (number !== null) on.cluster(number, add);
      else on.choose(row === undefined ? [] : [row], add);
    },
    hover(px, py) {
      const rows = px === null ? [] : pointAt(px, py, 12, 30);
      const [row] = px === null ? [] : pointAt(px, py);
      const number = row === undefined && px !== null ? names.at(px, py) : null;
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
  const themed = new MutationObserver(() => { if (state.n) { density.paint(); requestAnimationFrame(overlay); } });
  themed.observe(view.root, { attributes: true, attributeFilter: ["data-theme"] });
  view.signal.addEventListener("abort", () => { sized.disconnect(); themed.disconnect(); cancelAnimationFrame(waiting); });

  return {
    element: surface, paint, overlay, fit, pointer,
    // The points are elsewhere.
    moved() {
      grid = pointGrid(state.x, state.y, state.extent);
      measure();
      frame.fit(state.extent);
      density.paint();
    },
    density() {
      density.paint();
      density.place();
    },
    zoom(factor) { frame.zoom(factor); reframe(); },
    pan(dx, dy) { frame.pan(dx, dy); reframe(); },
    // Point at a cluster; null at none.
    point(number) {
      if (spot === number) return;
      spot = number;
      names.place(spot);
      drawOver();
    },
    get spot() { return spot; },
    beside: (dx, dy) => names.beside(spot, dx, dy),
  };
}
