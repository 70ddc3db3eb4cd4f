// A map of what was said. Synced: `color`; `progress` says what can be asked for. The points come on request, their texts
// only for those that are looked at; what is lassoed goes to the kernel as numbers of points. All else lives here only.

export default defineView("drift-map", (view) => {
  const { body, root, model } = view;
  const state = emptyState(model.get("color"));
  let have = { picture: 0, facts: 0 };
  let asked = 0;
  let busy = Promise.resolve();

  const says = h("div", { class: "lm-offscreen", "aria-live": "polite" });
  const say = (text) => { says.textContent = text; };
  const choice = mapChoice(view, state, relight, say);
  const tip = mapTip(view, state);
  const on = {
    say, escape, nextWindow, choose: choice.choose, cluster: choice.cluster, clear: () => choice.choose([]), hover: tip.hover,
    point: (number) => { stage.point(number); panel.mark(number); },
    day: () => relight(), colour(name) { model.set("color", name); model.save_changes(); recolour(); },
    window(code) { state.windowOn[code] = !state.windowOn[code]; repaint(); },
    tool(name) { state.tool = name; root.dataset.tool = name; head.draw(); },
    zoom: (factor) => stage.zoom(factor), fit: () => stage.fit(),
    labels() { state.labelsOn = !state.labelsOn; head.draw(); stage.overlay(); },
    density() { state.densityOn = !state.densityOn; head.draw(); stage.density(); },
  };
  const parts = {};
  const keys = keyboard(view, mapKeys(state, on, parts));
  state.help = keys.button;
  const stage = parts.stage = mapStage(view, state, on);
  const panel = parts.panel = mapPanel(view, state, on);
  const days = parts.days = mapDays(view, state, on);
  const head = mapHead(view, state, on);
  const map = h("div", { class: "lm-map" }, stage.element, tip.element);
  const main = h("div", { class: "lm-main" }, h("div", { class: "lm-left" }, map, days.element), panel.element);
  const work = mapProgress(view, state, (hides) => { main.hidden = head.element.hidden = hides; });
  root.dataset.tool = state.tool;

  // What is there -------------------------------------------------------------------------------------------------

  function show() {
    const progress = model.get("progress") || {};
    work.show(progress);
    if (progress.problem) return work.nothing(progress.problem);
    busy = busy.then(() => load(progress)).catch((error) => { if (!view.signal.aborted) view.fail(error, show); });
  }

  async function load({ picture = 0, facts = 0 }) {
    const turn = asked;
    if (picture > have.picture) {
      const first = have.picture === 0;
      const reply = first ? await view.request("map") : { places: await view.request("places") };
      if (turn !== asked || view.signal.aborted) return;
      if (first) await begin(reply);
      else await movePlaces(view, state, stage, reply.places);
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
    putPlaces(state, reply.places);
    work.over();
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
    const [before, after] = state.windowOn;
    const next = before && after ? [true, false, false] : before ? [false, true, false] : [true, true, true];
    next.forEach((value, code) => { state.windowOn[code] = value; });
    repaint();
  }

  function escape() {
    if (stage.pointer.drawing) stage.pointer.cancel();
    else if (state.selected) choice.choose([]);
    else return false;
  }

  // Python moved ---------------------------------------------------------------------------------------------------

  view.watch("progress", show);
  view.watch("chosen", () => { choice.chosen(); });
  view.watch("color", recolour);
  view.watch("revision", () => {
    asked++;
    have = { picture: 0, facts: 0 };
    tip.forget();
    Object.assign(state, emptyState(model.get("color")), { help: keys.button, tool: state.tool });
    show();
  });
  const themed = new MutationObserver(() => { if (state.n) { head.draw(); panel.draw(); } });
  themed.observe(root, { attributes: true, attributeFilter: ["data-theme"] });
  view.signal.addEventListener("abort", () => themed.disconnect());

  fill(body, h("div", { class: "lm-column" }, head.element, main, work.empty, work.row, says));
  // While the points are on their way; painting asks again.
  if (!model.get("progress")?.problem) loadPlotly(view).catch(() => {});
  show();
});
