// A list that keeps only its visible rows in the DOM; rows have one height, so 100,000 of them cost nothing.

// Scroll what can be scrolled, not the notebook around it.
function keepWheel(view, element) {
  const keep = (event) => { if (element.scrollHeight > element.clientHeight) event.stopPropagation(); };
  view.listen(element, "wheel", keep, { passive: true });
}

// `row(index)` makes an element. Options: `height` of a row in px, `attributes` of the scrolling element, `label`.
function virtualList(view, { height, row, attributes = {}, overscan = 8 }) {
  const space = h("div", { class: "lm-space", role: "presentation" });
  const element = h("div", { class: "lm-list", tabindex: "0", ...attributes }, space);
  const shown = new Map();
  let count = 0;
  let frame = 0;

  function draw() {
    frame = 0;
    const top = element.scrollTop;
    const first = Math.max(0, Math.floor(top / height) - overscan);
    const last = Math.min(count, Math.ceil((top + element.clientHeight) / height) + overscan);
    for (const [index, old] of shown) if (index < first || index >= last) { old.remove(); shown.delete(index); }
    const fresh = [];
    for (let index = first; index < last; index++) {
      if (shown.has(index)) continue;
      const made = row(index);
      made.style.setProperty("transform", `translateY(${index * height}px)`);
      made.style.setProperty("height", `${height}px`);
      shown.set(index, made);
      fresh.push(made);
    }
    put(space, fresh);
    element.dataset.drawn = String(shown.size);
    element.parentElement?.style.setProperty("--lm-scrollbar", `${element.offsetWidth - element.clientWidth}px`);
  }
  const later = () => { frame ||= requestAnimationFrame(draw); };
  view.listen(element, "scroll", later, { passive: true });
  keepWheel(view, element);
  const observer = new ResizeObserver(later);
  observer.observe(element);
  view.signal.addEventListener("abort", () => { observer.disconnect(); cancelAnimationFrame(frame); });

  return {
    element,
    get count() { return count; },
    get page() { return Math.max(1, Math.floor(element.clientHeight / height) - 1); },
    // The rows are others now.
    setCount(n) {
      count = n;
      element.dataset.rows = String(n);
      space.style.setProperty("height", `${n * height}px`);
      this.refresh();
    },
    // Draw all visible rows again, now.
    refresh() {
      shown.clear();
      space.replaceChildren();
      draw();
    },
    // Draw one row again if it is visible.
    update(index) {
      const old = shown.get(index);
      if (!old) return;
      old.remove();
      shown.delete(index);
      draw();
    },
    top() {
      element.scrollTop = 0;
      draw();
    },
    // Scroll just as far as needed; a far target lands in the middle.
    reveal(index) {
      if (index < 0 || index >= count) return;
      const top = index * height;
      const view0 = element.scrollTop;
      const view1 = view0 + element.clientHeight;
      const far = top < view0 - element.clientHeight || top > view1 + element.clientHeight;
      if (far) element.scrollTop = top - element.clientHeight / 2;
      else if (top < view0) element.scrollTop = top;
      else if (top + height > view1) element.scrollTop = top + height - element.clientHeight;
      draw();
    },
  };
}
