// Over the map: what the points are, what they are coloured by, the legend, and the tools.

const TOOLS = [["lasso", "Lasso (l)", "M8 2.5c3.6 0 6 1.6 6 3.8S11.6 10 8 10 2 8.500 2 6.300 4.400 2.500 8 2.500M5 9.600c-1.300.5-1.600 1.800-.6 2.500s2.300.2 2.300 1.400"],
  ["box", "Box (b)", "M2.500 3.500h11v9h-11z"], ["pan", "Move (m)", "M8 2v12M2 8h12M8 2L6 4M8 2l2 2M8 14l-2-2M8 14l2-2M2 8l2-2M2 8l2 2M14 8l-2-2M14 8l-2 2"]];

function toolIcon(path) {
  const svg = icon("search");
  svg.firstChild.setAttribute("d", path);
  return svg;
}

// `on` has colour(name), window(code), tool(name), zoom(factor), fit(), labels(), density(), clear().
function mapHead(view, state, on) {
  const facts = h("div", { class: "lm-facts lm-row" });
  const select = h("select", { class: "lm-input lm-colour", "aria-label": "Colour by" });
  const legend = h("div", { class: "lm-legend", role: "group", "aria-label": "Legend" });
  const chip = h("button", { type: "button", class: "lm-button lm-chip", hidden: true, title: "Clear the selection (Esc)", onclick: () => on.clear() });
  const button = (title, run, content, attributes = {}) => h("button", { type: "button", class: "lm-button lm-quiet", title, "aria-label": title, onclick: run, ...attributes }, content);
  const tools = TOOLS.map(([name, title, path]) => button(title, () => on.tool(name), toolIcon(path), { "data-tool": name, "aria-pressed": "false" }));
  const labels = button("Names (n)", () => on.labels(), "Aa", { "aria-pressed": "true" });
  const density = button("Density: where the one window has more than the other (d)", () => on.density(), "≋", { "aria-pressed": "true" });
  const zoom = [button("Nearer (+)", () => on.zoom(1.5), "+"), button("Further (−)", () => on.zoom(1 / 1.5), "−"), button("See all (0)", () => on.fit(), "⤢")];
  const element = h("div", { class: "lm-top" },
    h("div", { class: "lm-row" }, facts, chip, h("span", { class: "lm-grow" }),
      h("span", { class: "lm-muted lm-by" }, "colour"), select, h("span", { class: "lm-tools lm-row", role: "toolbar", "aria-label": "Tools" }, tools, zoom, labels, density, state.help)),
    legend);
  select.addEventListener("change", () => on.colour(select.value));

  function swatch({ label, color, quiet }, code, count) {
    const toggles = state.colour.name === "window";
    const content = [h("span", { class: "lm-dot", style: { background: color } }), h("span", { class: "lm-cut" }, oneLine(label, 60)),
      count !== null && h("span", { class: "lm-muted" }, format.full(count))];
    if (!toggles) return h("span", { class: "lm-swatch", "data-quiet": quiet ? "" : null }, content);
    return h("button", { type: "button", class: "lm-button lm-quiet lm-swatch", "data-window": code, "aria-pressed": String(state.windowOn[code]), title: "Show or hide these points (w)",
      onclick: () => on.window(code) }, content);
  }

  return {
    element,
    draw() {
      const colours = state.colours(state.looks[view.root.dataset.theme === "dark" ? "dark" : "light"]);
      const what = state.n === state.shownCount ? many(state.n, state.unit) : `${format.full(state.shownCount)} of ${many(state.n, state.unit)}`;
      fill(facts, h("b", {}, what), h("span", { class: "lm-muted" }, `one point ${state.unit === "trace" ? "a trace" : "a model call"}, by its ${state.text}`));
      for (const tool of tools) tool.setAttribute("aria-pressed", String(tool.dataset.tool === state.tool));
      labels.setAttribute("aria-pressed", String(state.withLabels()));
      density.setAttribute("aria-pressed", String(state.densityOn));
      density.hidden = !state.windows;
      chip.hidden = state.selected === null;
      if (state.selected) fill(chip, many(state.nSelected, state.unit), " selected", icon("close"));
      legend.toggleAttribute("data-numbers", colours.kind === "numbers");
      if (colours.kind === "numbers") {
        const scale = state.looks[view.root.dataset.theme === "dark" ? "dark" : "light"].scale;
        fill(legend, h("span", { class: "lm-muted" }, colours.show(colours.low)), h("span", { class: "lm-ramp", style: { background: `linear-gradient(to right, ${scale.join(", ")})` } }),
          h("span", { class: "lm-muted" }, colours.show(colours.high)), h("span", { class: "lm-faint" }, "grey: not known"));
        return;
      }
      const counts = colours.swatches.map(() => 0);
      for (let i = 0; i < state.n; i++) counts[colours.codes[i]]++;
      if (colours.many) fill(legend, h("span", { class: "lm-muted" }, `${many(colours.swatches.length - 1, "cluster")}; grey: in none`));
      else fill(legend, colours.swatches.map((each, code) => counts[code] > 0 && swatch(each, code, counts[code])));
    },
    // What there is to choose from.
    choices(list) {
      fill(select, list.map((name) => h("option", { value: name }, oneLine(name, 60))));
      select.value = state.colour.name;
    },
  };
}
