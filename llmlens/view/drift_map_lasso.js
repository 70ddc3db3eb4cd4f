// The pointer on the map: a lasso or a box drawn on a canvas, dragging, a click, hovering, the wheel.
// plotly's own selection looks at each point at each move; here a shape is looked at once, when it is closed.

const CLICK_PX = 4;

// `tool()` is "lasso", "box" or "pan". `on` has shape(corners, add), click(x, y, add), hover(x, y) (null: gone), pan(dx, dy),
// zoom(factor, x, y), fit(); places are in pixels of `surface`.
function pointerOn(view, surface, draw, tool, on) {
  let path = null;
  let from = null;
  const at = (event) => {
    const box = surface.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const far = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
  const boxOf = ([ax, ay], [bx, by]) => [[ax, ay], [bx, ay], [bx, by], [ax, by]];
  const finish = () => { path = from = null; draw(null); surface.toggleAttribute("data-drawing", false); };

  view.listen(surface, "pointerdown", (event) => {
    if (event.button !== 0) return;
    from = at(event);
    path = [from];
    surface.setPointerCapture(event.pointerId);
    surface.focus({ preventScroll: true });
    event.preventDefault();
  });
  view.listen(surface, "pointermove", (event) => {
    const here = at(event);
    if (!path) return on.hover(...here);
    const last = path[path.length - 1];
    if (tool() === "pan") {
      on.pan(here[0] - last[0], here[1] - last[1]);
      path.push(here);
      return;
    }
    if (far(here, last) < 2) return;
    on.hover(null);
    if (tool() === "box") path = [from, here];
    else path.push(here);
    surface.toggleAttribute("data-drawing", true);
    draw(tool() === "box" ? boxOf(from, here) : path);
  });
  view.listen(surface, "pointerup", (event) => {
    if (!path) return;
    const here = at(event);
    const drawn = path;
    const moved = drawn.some((place) => far(place, from) > CLICK_PX) || far(here, from) > CLICK_PX;
    const start = from;
    const add = event.shiftKey;
    finish();
    if (!moved) on.click(...start, add);
    else if (tool() === "box") on.shape(boxOf(start, here), add);
    else if (tool() === "lasso" && drawn.length > 2) on.shape(drawn, add);
  });
  view.listen(surface, "pointercancel", finish);
  view.listen(surface, "pointerleave", () => { if (!path) on.hover(null); });
  view.listen(surface, "dblclick", () => on.fit());
  // The wheel scrolls the notebook; with Ctrl, as a pinch on a touchpad says it, it zooms.
  view.listen(surface, "wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    on.zoom(Math.exp(-event.deltaY / 300), ...at(event));
    event.preventDefault();
    event.stopPropagation();
  }, { passive: false });
  return {
    get drawing() { return path !== null; },
    cancel: finish,
  };
}
