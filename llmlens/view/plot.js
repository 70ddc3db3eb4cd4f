// Any plotly figure: asked for once, drawn in the theme of the page; chosen points go to Python by curve and index.

export default defineView("plot", (view) => {
  const { body, root } = view;
  let spec = null;
  let templates = null;
  let drawn = null;

  const area = plotArea(view, (mode, element) => {
    // What the reader zoomed to is kept when the theme changes.
    const { width, height, ...layout } = (drawn === spec && element.layout) || spec.layout || {};
    drawn = spec;
    if (templates) layout.template = templates[mode];
    return { data: spec.data || [], layout };
  });

  function choose(event) {
    const points = (event?.points || []).flatMap((point) => {
      const numbers = point.pointNumbers || point.pointIndices || [point.pointIndex ?? point.pointNumber];
      return numbers.filter(Number.isInteger).map((number) => [point.curveNumber, number]);
    });
    if (view.isStatic) return;
    view.request("points", { points }).then((n) => { root.dataset.points = String(n); }, (error) => view.fail(error));
  }

  async function show() {
    view.fail(null);
    try {
      const reply = await view.request("figure");
      spec = JSON.parse(reply.figure);
      templates = reply.templates;
      await area.draw();
      for (const type of ["plotly_click", "plotly_selected", "plotly_deselect"]) area.element.removeAllListeners(type);
      area.element.on("plotly_click", choose);
      area.element.on("plotly_selected", (event) => { if (event) choose(event); });
      area.element.on("plotly_deselect", () => choose(null));
      view.ready({ series: spec.data.length });
    } catch (error) {
      if (!view.signal.aborted) view.fail(error, show);
    }
  }

  fill(body, area.element);
  view.watch("revision", show);
  show();
});
