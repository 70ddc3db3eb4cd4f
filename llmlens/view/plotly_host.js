// plotly for the views of one page: the library is loaded once, drawn figures follow size and theme.

const PLOTLY = Symbol.for("llmlens.plotly");
const isPlotly = (found) => typeof found?.react === "function" && parseInt(found.version, 10) >= 3;

// plotly.js, from the page if it has it, else from the kernel; a page asks once, whichever view comes first.
// A host may put a promise of it at `globalThis[Symbol.for("llmlens.plotly")]`.
async function loadPlotly(view) {
  for (;;) {
    if (isPlotly(globalThis.Plotly)) return globalThis.Plotly;
    const first = !globalThis[PLOTLY];
    if (first) {
      globalThis[PLOTLY] = new Promise((resolve, reject) => {
        view.signal.addEventListener("abort", () => reject(new Error("The view that was loading plotly was closed.")));
        view.request("plotly").then(evaluatePlotly).then(resolve, reject);
      });
    }
    const loading = globalThis[PLOTLY];
    try {
      return await loading;
    } catch (error) {
      if (globalThis[PLOTLY] === loading) delete globalThis[PLOTLY];
      if (first || view.signal.aborted) throw error;
    }
  }
}

// Bytes that came in base64.
function bytesOf(text) {
  return Uint8Array.fromBase64?.(text) ?? Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

async function evaluatePlotly(reply) {
  const source = await new Response(new Blob([bytesOf(reply.gzip)]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  const before = globalThis.Plotly;
  const script = document.createElement("script");
  // The bundle looks for module loaders first; the names of an AMD or CommonJS page must not catch it.
  script.textContent = `(function (module, exports, define) {${source}\n})();`;
  document.head.appendChild(script);
  script.remove();
  delete globalThis.moduleName;
  const made = globalThis.Plotly;
  if (before) globalThis.Plotly = before;
  if (!isPlotly(made)) throw new Error("plotly could not start: the page forbids inline scripts.");
  return made;
}

const PLOT_SPECIAL = /[&<>$%{}]/g;

// Make a stranger's text show literally in plotly, which reads tags, entities, %{templates} and $formulas$ in labels.
function plotText(text, limit = 80) {
  const flat = visible(String(text ?? "").slice(0, 4 * limit)).replace(/\s+/g, " ").trim();
  const points = [...flat];
  const cut = points.length <= limit ? flat : `${points.slice(0, limit - 1).join("")}…`;
  return cut.replace(PLOT_SPECIAL, (character) => `&#${character.charCodeAt(0)};`);
}

// plotly.js 4 offers to upload a chart to Plotly Cloud by default: traces stay here.
const PLOT_CONFIG = {
  showSendToCloud: false, plotlyServerURL: "", displaylogo: false, typesetMath: false, showTips: false, scrollZoom: false, doubleClickDelay: 350,
  modeBarButtonsToRemove: ["autoScale2d", "zoomIn2d", "zoomOut2d", "toggleSpikelines"],
};

// A place for a figure: `figure(theme)` gives {data, layout} for "light" or "dark"; `draw()` draws it now, and again
// whenever the theme changes; it follows the size of its element.
function plotArea(view, figure, config = {}) {
  const element = h("div", { class: "lm-chart" });
  let plotly = null;
  let frame = 0;

  async function draw() {
    plotly = await loadPlotly(view);
    if (view.signal.aborted) return;
    const { data, layout } = figure(view.root.dataset.theme === "dark" ? "dark" : "light", element);
    await plotly.react(element, data, { ...layout, autosize: true }, { ...PLOT_CONFIG, ...config });
  }

  const resized = new ResizeObserver(() => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => {
      if (element.data && element.clientWidth > 0 && element.clientHeight > 0) plotly?.Plots.resize(element);
    });
  });
  resized.observe(element);
  const themed = new MutationObserver(() => { if (element.data) draw().catch((error) => view.fail(error)); });
  themed.observe(view.root, { attributes: true, attributeFilter: ["data-theme"] });
  view.signal.addEventListener("abort", () => {
    cancelAnimationFrame(frame);
    resized.disconnect();
    themed.disconnect();
    if (element.data) plotly?.purge(element);
  });
  return { element, draw };
}
