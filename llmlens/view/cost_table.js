// The same groups as a table: rows in the order of the tree, siblings sorted by any column.

// `shown()` gives {tree, open, selected}; `press(row)` is called for a row that is clicked.
function costTable(view, shown, press) {
  const element = h("div", { class: "lm-cost-table", "data-pane": "table", hidden: true });
  let sort = { column: "value", down: true };

  const columns = (tree) => [
    { key: "label", title: tree.columns.join(" › "), of: (i) => tree.rows.label[i] },
    { key: "value", title: tree.measure.total, of: (i) => (tree.known(i) ? tree.rows.value[i] : null), show: tree.measure.show },
    { key: "share", title: "share", of: (i) => (tree.known(i) ? tree.share(i) : null), show: percent, bar: true },
    tree.value !== "calls" && { key: "calls", title: "calls", of: (i) => tree.rows.calls[i], show: format.full },
    { key: "each", title: tree.measure.each, of: tree.perCall, show: tree.showEach },
    { key: "trace", title: "cost per trace", of: tree.costPerTrace, show: format.usd },
    { key: "tokens", title: "tokens", of: (i) => tree.rows.tokens[i], show: format.count },
    { key: "unpriced", title: "no price", of: (i) => tree.rows.n_unpriced[i], show: (n) => (n ? format.full(n) : "") },
  ].filter(Boolean);

  function sortBy(key) {
    sort = { column: key, down: key === sort.column ? !sort.down : key !== "label" };
    draw();
    element.querySelector(`[data-sort="${key}"]`)?.focus();
  }

  function compare(by) {
    return (a, b) => {
      const [x, y] = [by.of(a), by.of(b)];
      if (x === null || y === null) return (x === null) - (y === null);
      const order = typeof x === "string" ? x.localeCompare(y) : x - y;
      return sort.down ? -order : order;
    };
  }

  function heading(column, by) {
    const order = column !== by ? "none" : sort.down ? "descending" : "ascending";
    return h("th", { scope: "col", class: column.key === "label" ? null : "lm-num", "aria-sort": order },
      h("button", { type: "button", class: "lm-button lm-quiet", "data-sort": column.key, onclick: () => sortBy(column.key) },
        column.title, column === by && h("span", { "aria-hidden": "true" }, sort.down ? " ↓" : " ↑")));
  }

  function cell(column, i) {
    const value = column.of(i);
    const bar = column.bar && h("span", { class: "lm-track", "aria-hidden": "true" },
      value !== null && h("span", { class: "lm-bar", style: { width: `${Math.max(1, 80 * value)}px` } }));
    return h("td", { class: "lm-num" }, bar, h("span", column.bar ? { class: "lm-share" } : {}, value === null ? DASH : column.show(value)));
  }

  function draw() {
    const { tree, open, selected } = shown();
    const all = columns(tree);
    const by = all.find((column) => column.key === sort.column) || all[1];
    const rows = [];
    const walk = (i, depth) => [...tree.below[i]].sort(compare(by)).forEach((child) => { rows.push([child, depth]); walk(child, depth + 1); });
    walk(open, 0);
    const line = ([i, depth]) => h("tr", { "data-row": i, class: i === selected ? "lm-on" : tree.below[i].length ? "lm-group" : null },
      h("th", { scope: "row", style: { "padding-left": `${6 + 18 * depth}px` } },
        h("button", { type: "button", class: "lm-button lm-quiet lm-cut", title: oneLine(tree.rows.label[i]), onclick: () => press(i) },
          oneLine(tree.rows.label[i], 120))),
      all.slice(1).map((column) => cell(column, i)));
    fill(element, h("table", {}, h("thead", {}, h("tr", {}, all.map((column) => heading(column, by)))), h("tbody", {}, rows.map(line))));
  }

  // Move the focus `by` rows.
  function step(by) {
    const buttons = [...element.querySelectorAll("tbody button")];
    const at = buttons.indexOf(view.root.ownerDocument.activeElement);
    buttons[Math.min(buttons.length - 1, Math.max(0, at + by))]?.focus();
  }

  return { element, draw, step };
}
