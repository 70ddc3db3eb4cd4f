// The keys of the map, as data: the help sheet is made of them too.

// `on` is what the view does, `parts` has the stage, the panel and the days once they are there.
function mapKeys(state, on, parts) {
  const arrow = (dx, dy) => (event) => {
    if (event.shiftKey) { parts.stage.pan(-60 * dx, -60 * dy); return; }
    const number = parts.stage.beside(dx, dy);
    on.point(number);
    on.say(number === null ? "" : spokenCluster(state, number));
  };
  const inMap = (keys, does, run) => ({ keys, does, run, in: "map", group: "Map" });
  const inClusters = (keys, does, run) => ({ keys, does, run, in: "clusters", group: "Clusters" });
  const ofDays = (keys, does, run) => ({ keys, does, run: (event) => (state.days.length < 2 ? false : run(event)) });
  return [
    inMap(["ArrowLeft"], "Next cluster on that side; with Shift: move the map", arrow(-1, 0)),
    inMap(["ArrowRight"], "The same to the right", arrow(1, 0)),
    inMap(["ArrowUp"], "The same upwards", arrow(0, -1)),
    inMap(["ArrowDown"], "The same downwards", arrow(0, 1)),
    inMap(["Enter"], "Select the cluster", (event) => (parts.stage.spot === null ? false : on.cluster(parts.stage.spot, event.shiftKey))),
    inClusters(["ArrowUp"], "Previous cluster", () => parts.panel.step(-1)),
    inClusters(["ArrowDown"], "Next cluster (Enter selects it)", () => parts.panel.step(1)),
    { keys: ["c"], does: "Go to the clusters", run: () => parts.panel.step(0) },
    { keys: ["l"], does: "Lasso", run: () => on.tool("lasso") },
    { keys: ["b"], does: "Box", run: () => on.tool("box") },
    { keys: ["m"], does: "Move the map", run: () => on.tool("pan") },
    { keys: ["+", "="], does: "Nearer", run: () => on.zoom(1.5) },
    { keys: ["-"], does: "Further", run: () => on.zoom(1 / 1.5) },
    { keys: ["0"], does: "See all", run: () => on.fit() },
    { keys: ["n"], does: "Names", run: () => on.labels() },
    { keys: ["d"], does: "Density", run: () => (state.windows ? on.density() : false) },
    { keys: ["w"], does: "Only before, only after, both", run: () => (state.windows ? on.nextWindow() : false) },
    ofDays([" "], "Play the days", (event) => (event.target.tagName === "BUTTON" ? false : parts.days.toggle())),
    ofDays(["["], "Previous day", () => parts.days.step(-1)),
    ofDays(["]"], "Next day", () => parts.days.step(1)),
    { keys: ["Escape"], does: "Clear the selection", run: () => on.escape() },
  ];
}

function spokenCluster(state, number) {
  const row = state.clusters.rows.find((each) => each.cluster === number);
  const change = row.difference === null ? "" : `, ${shareOf(row.share_before)} before, ${shareOf(row.share_after)} after`;
  return `${oneLine(row.name)}, ${many(row.size, state.unit)}${change}`;
}
