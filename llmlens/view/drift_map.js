// A map of what was said. Synced: `color`; `progress` says what can be asked for. The points come on request, their texts
// only for those that are looked at; what is lassoed goes to the kernel as numbers of points. All else lives here only.

const STAGES = {
  embedding: "Embedding the texts", clusters: "Finding clusters", placing: "Placing the points", trust: "Checking the picture",
  drift: "Testing for drift", stopped: "Stopped", failed: "Failed",
};
const MOVE_FRAMES = 14;

export default defineView("drift-map", (view) => {
  const { body, root, model } = view;
  const state = emptyState(model.get("color"));
  let have = { picture: 0, facts: 0 };
  let asked = 0;
  let busy = Promise.resolve();

  const on = {
    choose, cluster: chooseCluster, hover, point: (number) => { stage.point(number); panel.mark(number); },
    clear: () => choose([]), day: () => relight(), colour(name) { model.set("color", name); model.save_changes(); recolour(); },
    window(code) { state.windowOn[code] = !state.windowOn[code]; repaint(); },
    tool(name) { state.tool = name; root.dataset.tool = name; head.draw(); },
    zoom: (factor) => stage.zoom(factor), fit: () => stage.fit(),
    labels() { state.labelsOn = !state.labelsOn; head.draw(); stage.overlay(); },
    density() { state.densityOn = !state.densityOn; head.draw(); stage.density(); },
  };
  const arrow = (dx, dy) => (event) => {
    if (event.shiftKey) { stage.pan(-60 * dx, -60 * dy); return; }
    const number = stage.beside(dx, dy);
    on.point(number);
    says.textContent = number === null ? "" : spoken(number);
  };
  const inMap = (keys, does, run) => ({ keys, does, run, in: "map", group: "Map" });
  const keys = keyboard(view, [
    inMap(["ArrowLeft"], "Next cluster on that side; with Shift: move the map", arrow(-1, 0)),
    inMap(["ArrowRight"], "The same to the right", arrow(1, 0)), inMap(["ArrowUp"], "The same upwards", arrow(0, -1)),
    inMap(["ArrowDown"], "The same downwards", arrow(0, 1)),
    inMap(["Enter"], "Select the cluster", (event) => (stage.spot === null ? false : chooseCluster(stage.spot, event.shiftKey))),
    { keys: ["ArrowUp"], does: "Previous cluster", run: () => panel.step(-1), in: "clusters", group: "Clusters" },
    { keys: ["ArrowDown"], does: "Next cluster (Enter selects it)", run: () => panel.step(1), in: "clusters", group: "Clusters" },
    { keys: ["c"], does: "Go to the clusters", run: () => panel.step(0) },
    { keys: ["l"], does: "Lasso", run: () => on.tool("lasso") }, { keys: ["b"], does: "Box", run: () => on.tool("box") },
    { keys: ["m"], does: "Move the map", run: () => on.tool("pan") },
    { keys: ["+", "="], does: "Nearer", run: () => stage.zoom(1.5) }, { keys: ["-"], does: "Further", run: () => stage.zoom(1 / 1.5) },
    { keys: ["0"], does: "See all", run: () => stage.fit() },
    { keys: ["n"], does: "Names", run: () => on.labels() }, { keys: ["d"], does: "Density", run: () => (state.windows ? on.density() : false) },
    { keys: ["w"], does: "Only before, only after, both", run: () => nextWindow() },
    { keys: [" "], does: "Play the days", run: (event) => (event.target.tagName === "BUTTON" || state.days.length < 2 ? false : days.toggle()) },
    { keys: ["["], does: "Previous day", run: () => (state.days.length < 2 ? false : days.step(-1)) },
    { keys: ["]"], does: "Next day", run: () => (state.days.length < 2 ? false : days.step(1)) },
    { keys: ["Escape"], does: "Clear the selection", run: () => escape() },
  ]);
  state.help = keys.button;
  const stage = mapStage(view, state, on);
  const panel = mapPanel(view, state, on);
  const head = mapHead(view, state, on);
  const days = mapDays(view, state, on);
  const tip = h("div", { class: "lm-tip", role: "tooltip", hidden: true });
  const says = h("div", { class: "lm-offscreen", "aria-live": "polite" });
  const bar = h("span", { class: "lm-done" });
  const words = h("span", {});
  const stop = h("button", { type: "button", class: "lm-button", onclick: () => act("stop") }, "Stop");
  const go = h("button", { type: "button", class: "lm-button", onclick: () => act("go") }, "Go on");
  const work = h("div", { class: "lm-row lm-work", role: "status" }, h("span", { class: "lm-meter", "aria-hidden": "true" }, bar), words, stop, go);
  const map = h("div", { class: "lm-map" }, stage.element, tip);
  const empty = h("div", { class: "lm-empty", hidden: true });
  const main = h("div", { class: "lm-main" }, h("div", { class: "lm-left" }, map, days.element), panel.element);
  root.dataset.tool = state.tool;

  // What is there -------------------------------------------------------------------------------------------------

  function show() {
    const progress = model.get("progress") || {};
    working(progress);
    if (progress.problem) return nothing(progress);
    busy = busy.then(() => load(progress)).catch((error) => { if (!view.signal.aborted) view.fail(error, show); });
  }

  function working({ stage: at, share, picture, problem }) {
    const ended = !at || at === "done" || at === "failed";
    work.hidden = view.isStatic || ended || Boolean(problem);
    root.dataset.stage = at ?? "";
    state.at = at ?? "";
    const part = share === null || share === undefined ? "" : ` ${Math.round(100 * share)} %`;
    fill(words, at === "stopped" ? `Stopped. ${picture < 2 ? "The picture is of principal components." : ""}` : `${STAGES[at] ?? at}${part}`);
    bar.style.setProperty("width", `${Math.round(100 * (share ?? 0))}%`);
    work.toggleAttribute("data-unsure", at !== "stopped" && (share === null || share === undefined));
    stop.hidden = at === "stopped";
    go.hidden = at !== "stopped";
    if (!picture && !problem) {
      empty.hidden = false;
      main.hidden = head.element.hidden = true;
      fill(empty, h("b", {}, at === "stopped" ? "Stopped" : `${STAGES[at] ?? "Starting"} …`), h("span", {}, many(model.get("n_traces") ?? 0, "trace")));
    }
  }

  function nothing({ problem }) {
    empty.hidden = false;
    main.hidden = head.element.hidden = true;
    fill(empty, h("b", {}, "There is no map to show"), h("span", { class: "lm-problem" }, visible(problem)));
    view.ready({ points: 0, problem: "true" });
  }

  async function load({ picture = 0, facts = 0 }) {
    const turn = asked;
    if (picture > have.picture) {
      const first = have.picture === 0;
      const reply = first ? await view.request("map") : { places: await view.request("places") };
      if (turn !== asked || view.signal.aborted) return;
      if (first) await begin(reply);
      else await move(reply.places);
      have.picture = picture;
      root.dataset.layout = state.layout;
    }
    if (picture && facts > have.facts) {
      const reply = await view.request("facts", {}, { quiet: true });
      if (turn !== asked || view.signal.aborted) return;
      have.facts = facts;
      takeFacts(reply);
    }
  }

  async function begin(reply) {
    Object.assign(state, { n: reply.n, windows: reply.windows, window: reply.window && unpack(reply.window), days: reply.days,
      day: unpack(reply.day), unit: reply.unit, text: reply.text, looks: reply.looks, selected: null, dayOn: -1,
      shownCount: reply.n });
    place(reply.places);
    empty.hidden = true;
    main.hidden = head.element.hidden = false;
    wished = model.get("color");
    await colourBy(wished);
    days.draw();
    panel.draw();
    head.draw();
    stage.moved();
    await stage.paint();
    delete root.dataset.problem;
    view.ready({ points: state.n });
    view.request("colours", {}, { quiet: true }).then((list) => head.choices(list), () => head.choices([state.colour.name]));
  }

  function place({ x, y, extent, layout, density }) {
    Object.assign(state, { x: unpack(x), y: unpack(y), extent, layout, density: density && { ...density, cells: unpack(density.cells) } });
  }

  // The points go to where they belong, once; few enough of them are seen going there.
  async function move(places) {
    const { x, y } = state;
    place(places);
    const [toX, toY] = [state.x, state.y];
    const still = state.n > 6000 || globalThis.matchMedia?.("(prefers-reduced-motion: reduce)")?.matches || document.hidden;
    if (!still) {
      state.clusters = null; // names have no place meanwhile
      const density = state.density;
      state.density = null;
      stage.moved();
      for (let k = 1; k < MOVE_FRAMES && !view.signal.aborted; k++) {
        const part = 1 - (1 - k / MOVE_FRAMES) ** 3;
        state.x = toX.map((value, i) => x[i] + part * (value - x[i]));
        state.y = toY.map((value, i) => y[i] + part * (value - y[i]));
        await stage.paint();
      }
      Object.assign(state, { x: toX, y: toY, density });
    }
    stage.moved();
    await stage.paint();
  }

  function takeFacts(reply) {
    state.facts = reply;
    const compared = Boolean(state.windows);
    const before = state.cluster;
    state.cluster = reply.cluster && unpack(reply.cluster);
    state.clusters = reply.clusters && clusterRows(reply.clusters, compared);
    panel.draw();
    root.dataset.clusters = String(state.clusters ? state.clusters.rows.filter((row) => row.cluster >= 0).length : 0);
    root.dataset.drift = reply.drift ? "true" : "false";
    if (!before && state.colour.name === "cluster") repaint();
    else stage.overlay();
  }

  // Looks ---------------------------------------------------------------------------------------------------------

  async function colourBy(name) {
    const reply = ["window", "cluster", "day"].includes(name) ? {} : await view.request("colour", { name });
    state.colour = { name, reply };
  }

  let wished = null;
  function recolour() {
    const name = model.get("color");
    if (!state.n || name === wished) return;
    wished = name;
    colourBy(name).then(() => { if (name === wished) { repaint(); panel.draw(); } }, (error) => { wished = null; view.fail(error); });
  }

  // Other points, or other colours.
  function repaint() {
    count();
    stage.density();
    return stage.paint().catch((error) => view.fail(error));
  }

  // Another day, or another selection.
  function relight() {
    count();
    stage.density();
    stage.overlay();
  }

  function count() {
    state.shownCount = 0;
    for (let i = 0; i < state.n; i++) state.shownCount += state.isShown(i) && state.isInDay(i);
    head.draw();
  }

  function nextWindow() {
    if (!state.windows) return false;
    const [before, after] = state.windowOn;
    const next = before && after ? [true, false, false] : before ? [false, true, false] : [true, true, true];
    next.forEach((value, code) => { state.windowOn[code] = value; });
    repaint();
  }

  // Choosing ------------------------------------------------------------------------------------------------------

  function choose(rows, add = false) {
    const mask = new Uint8Array(state.n);
    if (add && state.selected && rows.length) state.selected.forEach((value, i) => { mask[i] = value; });
    for (const i of rows) mask[i] = 1;
    const all = [];
    mask.forEach((value, i) => { if (value) all.push(i); });
    if (!view.isStatic) {
      view.request("choose", { rows: all }).then((count) => { root.dataset.traces = String(count); says.textContent = all.length ? `${many(count, "trace")} selected` : "Nothing selected"; },
        (error) => { if (!error.isStatic) view.fail(error, () => choose(rows, add)); });
    }
    mark(all.length ? mask : null, all.length);
  }

  function chooseCluster(number, add = false) {
    const rows = [];
    for (let i = 0; i < state.n; i++) if (state.cluster?.[i] === number) rows.push(i);
    choose(rows, add);
  }

  function mark(mask, size) {
    Object.assign(state, { selected: mask, nSelected: size });
    root.dataset.selected = String(size);
    relight();
  }

  // Python has selected: show which points these are.
  async function chosen() {
    if (!state.n) return;
    const reply = await view.request("chosen", {}, { quiet: true }).catch(() => undefined);
    if (reply === undefined || view.signal.aborted) return;
    const rows = reply ? unpack(reply) : [];
    const mask = new Uint8Array(state.n);
    for (const i of rows) mask[i] = 1;
    mark(reply ? mask : null, rows.length);
  }

  function escape() {
    if (stage.pointer.drawing) stage.pointer.cancel();
    else if (state.selected) choose([]);
    else return false;
  }

  const act = (kind) => view.request(kind).catch((error) => view.fail(error));

  // Hovering ------------------------------------------------------------------------------------------------------

  const said = new Map();
  const fetchTexts = debounce(async (row, rows) => {
    const wanted = [row, ...rows].filter((each, k, list) => !said.has(each) && list.indexOf(each) === k);
    if (!wanted.length || view.isStatic) return;
    const found = await view.request("says", { rows: wanted }, { quiet: true }).catch(() => []);
    for (const each of found) said.set(each.row, each);
    if (Number(tip.dataset.row) === row && !tip.hidden) explain(row);
  }, 60, view.signal);

  function explain(row) {
    const text = said.get(row);
    const { swatches, codes, numbers, show: write } = state.colours(state.looks.light);
    const facts = [];
    if (state.window) facts.push(["before", "after", "neither"][state.window[row]]);
    facts.push(state.days[state.day[row]]);
    const cluster = state.cluster ? state.clusters?.byNumber.get(state.cluster[row]) ?? "in no cluster" : null;
    const value = ["window", "day", "cluster"].includes(state.colour.name) ? null
      : `${state.colour.name}: ${numbers ? (Number.isFinite(numbers[row]) ? write(numbers[row]) : "not known") : swatches[codes[row]].label}`;
    fill(tip, h("div", { class: "lm-muted lm-tiny" }, [...facts, cluster, value].filter(Boolean).map((each) => oneLine(each, 80)).join(" · ")),
      text?.prompt && h("div", { class: "lm-asked" }, oneLine(text.prompt, 160)),
      h("div", { class: "lm-said" }, text ? visible(text.text) : view.isStatic ? "Texts are not in this copy." : "…"),
      !view.isStatic && h("div", { class: "lm-faint lm-tiny" }, "Click to select it."));
  }

  function hover(row, px, py, rows) {
    tip.hidden = row === null;
    if (row === null) return;
    if (tip.dataset.row !== String(row)) {
      tip.dataset.row = String(row);
      explain(row);
      fetchTexts(row, rows);
    }
    const { clientWidth: w, clientHeight: height } = map;
    tip.style.setProperty("left", `${px + 16 + tip.offsetWidth > w ? Math.max(4, px - 14 - tip.offsetWidth) : px + 16}px`);
    tip.style.setProperty("top", `${Math.max(4, Math.min(py + 14, height - tip.offsetHeight - 4))}px`);
  }

  function spoken(number) {
    const row = state.clusters.rows.find((each) => each.cluster === number);
    const change = row.difference === null ? "" : `, ${shareOf(row.share_before)} before, ${shareOf(row.share_after)} after`;
    return `${oneLine(row.name)}, ${many(row.size, state.unit)}${change}`;
  }

  // Python moved ---------------------------------------------------------------------------------------------------

  view.watch("progress", show);
  view.watch("chosen", () => { chosen(); });
  view.watch("color", recolour);
  view.watch("revision", () => {
    asked++;
    have = { picture: 0, facts: 0 };
    said.clear();
    Object.assign(state, emptyState(model.get("color")), { help: keys.button, tool: state.tool });
    show();
  });
  const themed = new MutationObserver(() => { if (state.n) { head.draw(); panel.draw(); } });
  themed.observe(root, { attributes: true, attributeFilter: ["data-theme"] });
  view.signal.addEventListener("abort", () => themed.disconnect());

  fill(body, h("div", { class: "lm-column" }, head.element, main, empty, work, says));
  // While the points are on their way; painting asks again.
  if (!model.get("progress")?.problem) loadPlotly(view).catch(() => {});
  show();
});

// What a map is before its points have come. The parts of the view share it.
function emptyState(color) {
  return {
    n: 0, x: [], y: [], extent: [0, 1, 0, 1], layout: "", density: null, window: null, windows: null, day: [], days: [], perDay: [],
    cluster: null, clusters: null, facts: null, looks: null, unit: "trace", text: "output", colour: { name: color, reply: {} },
    windowOn: [true, true, true], dayOn: -1, labelsOn: true, densityOn: true, selected: null, nSelected: 0, shownCount: 0, tool: "lasso", at: "",
    colours(look) { return colouring(this.colour.reply, this.colour.name, this, look); },
    swatch(cluster, theme) { return this.colour.name === "cluster" ? this.looks[theme].colors[cluster % 7] : null; },
    isShown(i) { return this.windowOn[this.window ? this.window[i] : 0]; },
    isInDay(i) { return this.dayOn < 0 || this.day[i] === this.dayOn; },
    isLit(i) { return this.isInDay(i) && (this.selected === null || this.selected[i] === 1); },
    withLabels() { return this.labelsOn; },
    withDensity() { return this.densityOn && this.dayOn < 0; },
  };
}
