// Above both panes: where one is, how far everybody has come, and how far the labels are on their way.

const MOST_CELLS = 300;

function progressBar(view, { go, help, nextRejected }) {
  const where = h("span", { class: "lm-where" });
  const strip = h("div", { class: "lm-strip", role: "img" });
  const counts = h("span", { class: "lm-counts" });
  const people = h("span", { class: "lm-people" });
  const deliveries = h("span", { class: "lm-deliveries" });
  const element = h("header", { class: "lm-top" },
    h("div", { class: "lm-row" }, where, counts, h("span", { class: "lm-grow" }), people, deliveries,
      h("button", { type: "button", class: "lm-button lm-quiet", title: "Previous ( ← )", "aria-label": "Previous item", onclick: () => go.step(-1) }, icon("left")),
      h("button", { type: "button", class: "lm-button lm-quiet", title: "Next ( → )", "aria-label": "Next item", onclick: () => go.step(1) }, icon("right")),
      help),
    strip);
  let cells = [];

  function drawStrip(states, place) {
    if (states.length > MOST_CELLS) {
      cells = [];
      const share = (state) => `${(states.filter((s) => s === state).length / states.length) * 100}%`;
      fill(strip, ["d", "s"].map((state) => h("span", { class: "lm-stretch", "data-state": state, style: { width: share(state) } })));
      return;
    }
    if (cells.length !== states.length) {
      cells = states.map((_, i) => h("span", { class: "lm-cell", title: `Item ${i + 1}`, onclick: () => go.to(i) }));
      fill(strip, cells);
    }
    cells.forEach((cell, i) => {
      cell.dataset.state = states[i];
      cell.toggleAttribute("data-here", i === place);
    });
  }

  return {
    element,
    update({ states, place, rows, sums, trouble, list }) {
      const [me, ...others] = rows;
      fill(where, h("b", {}, states.length ? format.full(place + 1) : "0"), h("span", { class: "lm-muted" }, ` of ${many(states.length, list.per_item)}`));
      fill(counts, [["d", "done", me.done], ["s", "skipped", me.skipped], ["l", "left", me.left]].map(([state, name, n]) =>
        h("span", { class: "lm-tally", "data-state": state, "data-count": name }, h("i", {}), `${format.full(n)} ${name}`)));
      fill(people, h("span", { class: "lm-person lm-me", title: "You" }, oneLine(me.author, 30)),
        others.slice(0, 3).map((row) => h("span", {
          class: "lm-person", title: `${oneLine(row.author, 60)}: ${row.done} done, ${row.skipped} skipped, ${row.left} left`,
        }, `${oneLine(row.author, 30)} ${format.full(row.done)}`)),
        others.length > 3 && h("span", { class: "lm-person", title: others.slice(3).map((row) => oneLine(row.author, 60)).join(", ") }, `+${others.length - 3}`));
      const waiting = (sums.pending ?? 0) + (sums.sent ?? 0);
      fill(deliveries, list.to && [
        trouble && h("span", { class: "lm-delivery lm-trouble", title: visible(trouble), "data-trouble": "" }, icon("error"),
          waiting > 0 ? `${format.full(waiting)} wait` : `${list.to} is away`),
        !trouble && waiting > 0 && h("span", { class: "lm-delivery", title: `Saved here; on the way to ${list.to}` }, `${format.full(waiting)} on the way`),
        sums.confirmed > 0 && h("span", { class: "lm-delivery lm-ok", title: `Read back from ${list.to}` }, icon("check"), `${format.full(sums.confirmed)} confirmed`),
        sums.rejected > 0 && h("button", { type: "button", class: "lm-button lm-delivery lm-error", title: "Send them again", onclick: nextRejected },
          icon("error"), `${format.full(sums.rejected)} rejected`)]);
      strip.setAttribute("aria-label", `${me.done} done, ${me.skipped} skipped, ${me.left} left`);
      drawStrip(states, place);
      Object.assign(view.root.dataset, { done: me.done, skipped: me.skipped, left: me.left, place, items: states.length });
    },
  };
}

const stateOf = (status) => (status.mark ? (status.mark.kind === "done" ? "d" : "s") : "l");
