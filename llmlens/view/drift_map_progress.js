// How far the work on a map is, in a row under it, and what stands in its place while there is none.

const STAGES = {
  embedding: "Embedding the texts", clusters: "Finding clusters", placing: "Placing the points", trust: "Checking the picture",
  drift: "Testing for drift", stopped: "Stopped", failed: "Failed",
};

// `cover(hides)` hides the map, or shows it again.
function mapProgress(view, state, cover) {
  const { root, model } = view;
  const act = (kind) => view.request(kind).catch((error) => view.fail(error));
  const bar = h("span", { class: "lm-done" });
  const words = h("span", {});
  const stop = h("button", { type: "button", class: "lm-button", onclick: () => act("stop") }, "Stop");
  const go = h("button", { type: "button", class: "lm-button", onclick: () => act("go") }, "Go on");
  const row = h("div", { class: "lm-row lm-work", role: "status" }, h("span", { class: "lm-meter", "aria-hidden": "true" }, bar), words, stop, go);
  const empty = h("div", { class: "lm-empty", hidden: true });

  function instead(...content) {
    empty.hidden = false;
    cover(true);
    fill(empty, content);
  }

  return {
    row, empty,
    show({ stage: at, share, picture, problem }) {
      const ended = !at || at === "done" || at === "failed";
      const unsure = share === null || share === undefined;
      row.hidden = view.isStatic || ended || Boolean(problem);
      root.dataset.stage = at ?? "";
      state.at = at ?? "";
      fill(words, at === "stopped" ? `Stopped. ${picture < 2 ? "The picture is of principal components." : ""}`
        : `${STAGES[at] ?? at}${unsure ? "" : ` ${Math.round(100 * share)} %`}`);
      bar.style.setProperty("width", `${Math.round(100 * (share ?? 0))}%`);
      row.toggleAttribute("data-unsure", at !== "stopped" && unsure);
      stop.hidden = at === "stopped";
      go.hidden = at !== "stopped";
      if (!picture && !problem) instead(h("b", {}, at === "stopped" ? "Stopped" : `${STAGES[at] ?? "Starting"} …`), h("span", {}, many(model.get("n_traces") ?? 0, "trace")));
    },
    nothing(problem) {
      instead(h("b", {}, "There is no map to show"), h("span", { class: "lm-problem" }, visible(problem)));
      view.ready({ points: 0, problem: "true" });
    },
    over() {
      empty.hidden = true;
      cover(false);
    },
  };
}
