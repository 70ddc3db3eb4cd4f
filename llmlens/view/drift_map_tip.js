// What a point says, beside it, when it is pointed at; the texts come on request.

function mapTip(view, state) {
  const element = h("div", { class: "lm-tip", role: "tooltip", hidden: true });
  const said = new Map();

  const fetchTexts = debounce(async (row, rows) => {
    const wanted = [row, ...rows].filter((each, k, list) => !said.has(each) && list.indexOf(each) === k);
    if (!wanted.length || view.isStatic) return;
    const found = await view.request("says", { rows: wanted }, { quiet: true }).catch(() => []);
    for (const each of found) said.set(each.row, each);
    if (Number(element.dataset.row) === row && !element.hidden) explain(row);
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
    fill(element, h("div", { class: "lm-muted lm-tiny" }, [...facts, cluster, value].filter(Boolean).map((each) => oneLine(each, 80)).join(" · ")),
      text?.prompt && h("div", { class: "lm-asked" }, oneLine(text.prompt, 160)),
      h("div", { class: "lm-said" }, text ? visible(text.text) : view.isStatic ? "Texts are not in this copy." : "…"),
      !view.isStatic && h("div", { class: "lm-faint lm-tiny" }, "Click to select it."));
  }

  return {
    element,
    // At a place of the map that it lies over; `rows` are points nearby, whose texts may be asked for next.
    hover(row, px, py, rows) {
      element.hidden = row === null;
      if (row === null) return;
      if (element.dataset.row !== String(row)) {
        element.dataset.row = String(row);
        explain(row);
        fetchTexts(row, rows);
      }
      const { clientWidth: w, clientHeight: height } = element.parentElement;
      element.style.setProperty("left", `${px + 16 + element.offsetWidth > w ? Math.max(4, px - 14 - element.offsetWidth) : px + 16}px`);
      element.style.setProperty("top", `${Math.max(4, Math.min(py + 14, height - element.offsetHeight - 4))}px`);
    },
    forget: () => said.clear(),
  };
}
