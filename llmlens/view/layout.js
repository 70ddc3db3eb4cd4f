// Panes side by side, with dividers that mouse and arrow keys move; sizes stay in this view.

// `set(pixels)` is told the wished size of what is before the divider; `get()` gives its present size.
function divider(view, { label, get, set, vertical = () => true }) {
  const element = h("div", {
    class: "lm-divider", role: "separator", tabindex: "0", "aria-label": label, "aria-orientation": "vertical",
  });
  let from = null;
  const position = (event) => (vertical() ? event.clientX : event.clientY);
  element.addEventListener("pointerdown", (event) => {
    from = { at: position(event), size: get() };
    element.setPointerCapture(event.pointerId);
    view.root.toggleAttribute("data-dragging", true);
    event.preventDefault();
  });
  element.addEventListener("pointermove", (event) => { if (from) set(from.size + position(event) - from.at); });
  const stop = () => { from = null; view.root.toggleAttribute("data-dragging", false); };
  for (const type of ["pointerup", "pointercancel"]) element.addEventListener(type, stop);
  element.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -24, ArrowUp: -24, ArrowRight: 24, ArrowDown: 24 }[event.key];
    if (!step) return;
    set(get() + step);
    event.preventDefault();
    event.stopPropagation();
  });
  return element;
}

// List | tree | detail; below 860 px the detail goes under the tree.
function threePanes(view, left, middle, right) {
  const grid = h("div", { class: "lm-panes" });
  const share = { left: 0.3, middle: 0.39, top: 0.5 };
  const narrow = () => grid.clientWidth < 860;
  const clamp = (value, low, high) => Math.max(low, Math.min(Math.max(low, high), value));
  const apply = () => {
    const { clientWidth: width, clientHeight: height } = grid;
    if (!width) return;
    const a = clamp(share.left * width, narrow() ? 200 : 230, width * 0.6);
    const b = clamp(share.middle * width, 280, width - a - 270);
    grid.style.setProperty("--lm-a", `${Math.round(a)}px`);
    grid.style.setProperty("--lm-b", `${Math.round(b)}px`);
    grid.style.setProperty("--lm-c", `${Math.round(clamp(share.top * height, 120, height - 120))}px`);
    grid.toggleAttribute("data-narrow", narrow());
  };
  const first = divider(view, {
    label: "Width of the list", get: () => left.clientWidth,
    set: (px) => { share.left = px / grid.clientWidth; apply(); },
  });
  const second = divider(view, {
    label: "Size of the tree", vertical: () => !narrow(),
    get: () => (narrow() ? middle.clientHeight : middle.clientWidth),
    set: (px) => {
      if (narrow()) share.top = px / grid.clientHeight;
      else share.middle = px / grid.clientWidth;
      apply();
    },
  });
  first.classList.add("lm-first");
  second.classList.add("lm-second");
  put(grid, [left, first, middle, second, right]);
  const observer = new ResizeObserver(apply);
  observer.observe(grid);
  view.signal.addEventListener("abort", () => observer.disconnect());
  apply();
  return grid;
}
