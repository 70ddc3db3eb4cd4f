// The page around the views: theme, folded code, search, and links that open a trace.
(() => {
  const root = document.documentElement;
  const page = globalThis[Symbol.for("llmlens.page")];
  const one = (selector) => document.querySelector(selector);
  const button = (name) => one(`[data-do=${name}]`);
  const main = one("main");

  // Theme: the system's until the reader chooses. The views read JupyterLab's mark.
  const media = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.jpThemeLight ? root.dataset.jpThemeLight === "false" : media.matches);
  button("theme").addEventListener("click", () => { root.dataset.jpThemeLight = String(dark()); });

  // Code: all of it, or each cell by itself.
  const code = [...document.querySelectorAll("details.code")];
  const showCode = (open) => {
    for (const each of code) each.open = open;
    button("code").setAttribute("aria-pressed", String(open));
  };
  button("code").setAttribute("aria-pressed", String(root.dataset.code === "show"));
  button("code").addEventListener("click", () => showCode(button("code").getAttribute("aria-pressed") !== "true"));
  button("code").hidden = code.length === 0;
  button("theme").hidden = false;
  one(".find").hidden = false;

  // Contents: open beside the text where there is room; the section that is read is marked.
  const contents = one(".contents");
  const wide = matchMedia("(min-width: 1180px)");
  const unfold = () => { contents.open = wide.matches; };
  wide.addEventListener("change", unfold);
  unfold();
  if (!contents.querySelector("li")) contents.hidden = true;
  contents.addEventListener("click", (event) => { if (event.target.closest("a") && !wide.matches) contents.open = false; });
  const links = new Map([...contents.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]));
  const seen = new IntersectionObserver((entries) => {
    const top = entries.filter((entry) => entry.isIntersecting).at(0);
    if (!top) return;
    for (const [anchor, link] of links) link.toggleAttribute("aria-current", anchor === top.target.id);
  }, { rootMargin: "0px 0px -70% 0px" });
  for (const anchor of links.keys()) seen.observe(document.getElementById(anchor));

  // Search: what the page says, folded code and tables too. Views search in themselves.
  const input = one(".find input");
  const count = one(".find output");
  let hits = [];
  let at = -1;

  function texts() {
    const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT, (node) =>
      node.parentElement.closest("script, style, .live, [data-mounted=true] > .picture") ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT);
    const found = [];
    while (walker.nextNode()) found.push(walker.currentNode);
    return found;
  }

  // Matches run over the borders of elements, as words in marked code do; a block ends them.
  function find(needle) {
    const found = [];
    let run = [];
    let block = null;
    const finish = () => {
      const whole = run.map((node) => node.data).join("").toLowerCase();
      for (let from = whole.indexOf(needle); from >= 0; from = whole.indexOf(needle, from + needle.length))
        found.push(range(run, from, from + needle.length));
      run = [];
    };
    for (const node of texts()) {
      const mine = node.parentElement.closest("p, li, td, th, pre, h1, h2, h3, h4, h5, h6, dt, dd, summary, div, section");
      if (mine !== block) finish();
      block = mine;
      run.push(node);
    }
    finish();
    return found;
  }

  function range(nodes, from, to) {
    const made = document.createRange();
    let place = 0;
    for (const node of nodes) {
      const end = place + node.data.length;
      if (from >= place && from < end) made.setStart(node, from - place);
      if (to > place && to <= end) { made.setEnd(node, to - place); break; }
      place = end;
    }
    return made;
  }

  function mark() {
    if (!globalThis.CSS?.highlights) return;
    CSS.highlights.set("found", new Highlight(...hits));
    CSS.highlights.set("here", new Highlight(...(hits[at] ? [hits[at]] : [])));
  }

  function search() {
    const needle = input.value.toLowerCase();
    hits = needle.trim() ? find(needle) : [];
    at = -1;
    if (hits.length) step(1, false);
    else mark();
    tell();
  }

  const tell = () => { count.value = !input.value.trim() ? "" : hits.length ? `${at + 1} of ${hits.length}` : "nothing"; };

  function step(by, focus = true) {
    if (!hits.length) return;
    at = (at + by + hits.length) % hits.length;
    const start = hits[at].startContainer.parentElement;
    for (let outer = start.closest("details"); outer; outer = outer.parentElement.closest("details")) outer.open = true;
    mark();
    tell();
    start.scrollIntoView({ block: "center", behavior: "instant" });
    if (!globalThis.CSS?.highlights && focus) getSelection().setBaseAndExtent(hits[at].startContainer, hits[at].startOffset, hits[at].endContainer, hits[at].endOffset);
  }

  input.addEventListener("input", search);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); step(event.shiftKey ? -1 : 1); }
    if (event.key === "Escape") { input.value = ""; search(); input.blur(); }
  });
  button("next").addEventListener("click", () => step(1));
  button("previous").addEventListener("click", () => step(-1));
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    input.focus();
  });

  // Links to a trace or a span: #trace=...&span=... opens it in the first view that has it.
  const said = one("#said");
  const say = (words) => { said.textContent = words; said.hidden = !words; if (words) said.scrollIntoView({ block: "center" }); };

  async function follow() {
    const asked = new URLSearchParams(location.hash.slice(1));
    const wanted = asked.get("trace");
    if (!wanted) return;
    await page.mounted;
    for (const element of document.querySelectorAll("[data-model][data-mounted=true]")) {
      const model = page.model(element.dataset.model);
      const traces = (await model.answers("trace")).map((values) => values.trace_id);
      const found = traces.find((id) => id === wanted) ?? (wanted.length >= 6 ? traces.find((id) => id.startsWith(wanted)) : undefined);
      if (found === undefined) continue;
      model.set("span_id", asked.get("span"));
      model.set("trace_id", found);
      element.scrollIntoView({ block: "center", behavior: "instant" });
      say("");
      return;
    }
    say(`The trace ${wanted} is not in this file.`);
  }

  addEventListener("hashchange", follow);
  follow();

  // The address follows the reader: what is open can be sent as a link.
  document.addEventListener("llmlens:saved", ({ detail }) => {
    const model = page.model(detail.id);
    const [trace, span] = [model.get("trace_id"), model.get("span_id")];
    if (!trace) return;
    try { history.replaceState(null, "", model.link(trace, span)); } catch { /* a sandboxed frame has no address of its own */ }
  });

  // Paper is light, and has no folds.
  let folded = [];
  let theme = "";
  addEventListener("beforeprint", () => {
    theme = root.dataset.jpThemeLight;
    root.dataset.jpThemeLight = "true";
    folded = [...document.querySelectorAll("main details:not([open], .code, .error details)")];
    for (const each of folded) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of folded) each.open = false;
    if (theme) root.dataset.jpThemeLight = theme;
    else delete root.dataset.jpThemeLight;
  });
})();
