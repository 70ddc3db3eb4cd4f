// The names of clusters over the map: those that have room.

// The clusters that have points in what is selected or in the day; null when all have their colour.
function litClusters(state) {
  if (!state.selected && state.dayOn < 0) return null;
  const found = new Set();
  for (let i = 0; i < state.n; i++) if (state.isShown(i) && state.isLit(i)) found.add(state.cluster?.[i]);
  return found;
}

function mapNames(state, frame) {
  const element = h("div", { class: "lm-labels", "aria-hidden": "true" });
  let boxes = []; // of the names that are shown: {left, top, right, bottom, number}

  // The largest clusters and those that changed are named first; a name that has no room is left out.
  function place(spot) {
    boxes = [];
    element.replaceChildren();
    if (!state.clusters || !state.withLabels()) return;
    const made = state.clusters.rows.filter((row) => row.x !== null && row.cluster >= 0)
      .sort((a, b) => Number(b.clear) - Number(a.clear) || b.size - a.size)
      .map((row) => ({ row, name: h("div", { class: "lm-label", "data-cluster": row.cluster, "data-change": row.clear ? row.change : null,
        "data-spot": row.cluster === spot ? "" : null },
      row.clear && h("span", { class: "lm-arrow" }, row.change === "grew" ? "▲ " : "▼ "), oneLine(row.short, 60)) }));
    put(element, made.map((each) => each.name));
    const lit = litClusters(state);
    const middles = made.map(({ row }) => ({ left: frame.x(row.x) - 5, right: frame.x(row.x) + 5, top: frame.y(row.y) - 5, bottom: frame.y(row.y) + 5, number: row.cluster }));
    const meets = (a, b) => a.left < b.right + 3 && a.right > b.left - 3 && a.top < b.bottom && a.bottom > b.top;
    for (const { row, name } of made) {
      name.toggleAttribute("data-dim", lit !== null && !lit.has(row.cluster));
      const [x, y, w, h_] = [frame.x(row.x), frame.y(row.y), name.offsetWidth, name.offsetHeight];
      const outside = x < 0 || y < 0 || x > frame.width || y > frame.height;
      const left = Math.max(2, Math.min(frame.width - w - 2, x - w / 2));
      // Above its points, or else below them: a name must not hide what it names.
      const at = outside ? null : [-h_ - 7, 8, -2 * h_ - 7, h_ + 8].map((step) => y + step)
        .find((top) => {
          const box = { left, right: left + w, top, bottom: top + h_ };
          return top >= 0 && box.bottom <= frame.height && !boxes.some((b) => meets(box, b)) && !middles.some((m) => m.number !== row.cluster && meets(box, m));
        });
      if (at === undefined || at === null) { name.remove(); continue; }
      name.style.setProperty("left", `${left}px`);
      name.style.setProperty("top", `${at}px`);
      boxes.push({ left, top: at, right: left + w, bottom: at + h_, number: row.cluster });
    }
  }

  return {
    element, place,
    // The cluster whose name is at this place; null at none.
    at: (px, py) => boxes.find((b) => px >= b.left && px <= b.right && py >= b.top && py <= b.bottom)?.number ?? null,
    // The named cluster that is nearest to `spot`, on that side; the first where that is none.
    beside(spot, dx, dy) {
      const placed = boxes.map((b) => ({ number: b.number, at: [(b.left + b.right) / 2, (b.top + b.bottom) / 2] }));
      const from = placed.find((each) => each.number === spot);
      if (!from) return boxes[0]?.number ?? null;
      return nearestOnSide(from.at, placed.filter((each) => each !== from), dx, dy)?.number ?? spot;
    },
  };
}
