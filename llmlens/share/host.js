// Mounts the views of a shared page: each module, stylesheet and reply is a compressed part of the page, opened once.
// A widget that cannot start leaves its picture and a line; the others go on.
(() => {
  const { models, plotly } = JSON.parse(document.getElementById("models").textContent);
  const opened = new Map();

  // The text of a part.
  function part(name) {
    if (!opened.has(name)) opened.set(name, unpack(document.querySelector(`script[data-part="${name}"]`).textContent));
    return opened.get(name);
  }

  // Base 85 of RFC 1924 with , and . for < and &: five characters are four bytes.
  const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%.()*+-;,=>?@^_`{|}~";
  const digit = new Uint8Array(128);
  [...DIGITS].forEach((character, value) => { digit[character.charCodeAt(0)] = value; });

  function bytesOf(packed) {
    const filled = packed.length + ((5 - (packed.length % 5)) % 5);
    const bytes = new DataView(new ArrayBuffer((filled / 5) * 4));
    for (let i = 0; i < filled; i += 5) {
      let word = 0;
      for (let k = i; k < i + 5; k++) word = word * 85 + (k < packed.length ? digit[packed.charCodeAt(k)] : 84);
      bytes.setUint32((i / 5) * 4, word);
    }
    return new Uint8Array(bytes.buffer, 0, bytes.byteLength - (filled - packed.length));
  }

  async function unpack(packed) {
    const bytes = bytesOf(packed);
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  }

  const parsed = new Map();
  const json = (name) => {
    if (!parsed.has(name)) parsed.set(name, part(name).then(JSON.parse));
    return parsed.get(name);
  };

  const script = (text) => URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const modules = new Map();
  const load = (name) => {
    if (!modules.has(name)) modules.set(name, part(name).then((text) => import(script(text))).then((module) => module.default));
    return modules.get(name);
  };

  const styled = new Set();
  async function style(name) {
    if (!name || styled.has(name)) return;
    styled.add(name);
    const element = document.createElement("style");
    element.textContent = await part(name);
    document.head.append(element);
  }

  // As Python writes the arguments of a reply: keys sorted, no spaces.
  function canonical(value) {
    if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
    if (value === null || typeof value !== "object") return JSON.stringify(value);
    return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
  }

  // A model without a kernel: what a view sets, its other views see; what it asks is answered from the page.
  function staticModel(id, spec) {
    const state = new Map(Object.entries(spec.state));
    const listeners = new Map();
    const of = (name) => listeners.get(name) ?? listeners.set(name, new Set()).get(name);
    const fire = (name, ...values) => [...of(name)].forEach((listener) => listener(...values));
    for (const { path, data } of spec.buffers ?? []) restore(state, path, data);
    const model = {
      is_static: true,
      get: (name) => state.get(name),
      set(name, value) {
        if (Object.is(state.get(name), value)) return;
        state.set(name, value);
        fire(`change:${name}`, model, value);
        fire("change", model);
      },
      save_changes() { document.dispatchEvent(new CustomEvent("llmlens:saved", { detail: { id } })); },
      send() { fire("static:no-kernel"); },
      on: (name, listener) => of(name).add(listener),
      off: (name, listener) => (listener ? of(name).delete(listener) : listeners.delete(name)),
      async reply(kind, values) {
        const key = `${kind} ${canonical(values)}`;
        const place = spec.replies && (await json(spec.replies.index))[key];
        const result = place === undefined ? undefined : (await json(spec.replies.parts[place]))[key];
        return kind === "page" && result && spec.follows ? selected(result, await following(spec.follows)) : result;
      },
      link: (trace, span) => `${location.href.split("#")[0]}#${new URLSearchParams({ trace, ...(span && { span }) })}`,
      async answers(kind) {
        const keys = spec.replies ? Object.keys(await json(spec.replies.index)) : [];
        return keys.filter((key) => key.startsWith(`${kind} `)).map((key) => JSON.parse(key.slice(kind.length + 1)));
      },
    };
    return model;
  }

  // An explorer that follows another view lists what is selected there: the rows were written down for each selection.
  async function following({ source, trait, selections, rows }) {
    if (!source || !trait) return rows && { rows: risen(rows) };
    const value = model(source).model.get(trait);
    if (value === null || value === undefined || value.length === 0) return null;
    const known = await json(selections);
    if (!known.length) return { trace: value };
    const found = known.find(([wanted]) => canonical(wanted) === canonical(value));
    if (!found) return null;
    return { rows: risen(found[1]) };
  }

  function risen(steps) {
    let row = 0;
    return steps.map((step) => (row += step));
  }

  function selected(page, choice) {
    if (!choice) return page;
    const rows = choice.rows ?? [page.columns.trace_id.indexOf(choice.trace)].filter((row) => row >= 0);
    const columns = Object.fromEntries(Object.entries(page.columns).map(([name, all]) => [name, rows.map((row) => all[row])]));
    return { ...page, columns, total: rows.length, matching: rows.length };
  }

  // Ask anew when the other view selects, and open the first trace that this file has.
  function follow(id, { source, trait }) {
    if (!source || !trait) return;
    const { model: mine } = model(id);
    model(source).model.on(`change:${trait}`, async () => {
      const page = await mine.reply("page", JSON.parse(Object.keys(await json(models[id].replies.index)).find((key) => key.startsWith("page ")).slice(5)));
      const there = new Set((await mine.answers("trace")).map((values) => values.trace_id));
      const first = page.columns.trace_id.find((trace) => there.has(trace));
      if (first !== undefined && !page.columns.trace_id.includes(mine.get("trace_id"))) {
        mine.set("span_id", null);
        mine.set("trace_id", first);
      }
      mine.set("revision", (mine.get("revision") ?? 0) + 1);
    });
  }

  function restore(state, path, data) {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    const [first, ...rest] = path;
    if (!rest.length) { state.set(first, new DataView(bytes.buffer)); return; }
    const last = rest.pop();
    const inside = rest.reduce((value, key) => value[key], state.get(first));
    inside[last] = new DataView(bytes.buffer);
  }

  const made = new Map();
  const noKernel = () => Promise.reject(new Error("This page has no kernel."));
  function model(id) {
    if (!made.has(id)) {
      made.set(id, { model: staticModel(id, models[id]), started: null });
      if (models[id].follows) follow(id, models[id].follows);
    }
    return made.get(id);
  }

  function note(element, words) {
    const line = document.createElement("p");
    line.className = "note";
    line.textContent = words;
    element.append(line);
  }

  async function mount(element) {
    const id = element.dataset.model;
    const spec = models[id];
    const entry = model(id);
    const { signal } = new AbortController();
    const experimental = { invoke: noKernel };
    const place = document.createElement("div");
    place.className = "live";
    try {
      await style(spec.css);
      const found = await load(spec.esm);
      const widget = typeof found === "function" ? await found() : found;
      entry.started ??= Promise.resolve(widget.initialize?.({ model: entry.model, signal, experimental }));
      await entry.started;
      element.append(place);
      await widget.render?.({ model: entry.model, el: place, signal, experimental });
      element.dataset.mounted = "true";
      if (spec.follows && !(spec.follows.source && spec.follows.trait))
        note(element, "In the notebook this follows what is selected in another view; here it lists what was selected when it was shared.");
    } catch (error) {
      place.remove();
      note(element, `${spec.name} could not start here: ${error.message || error}`);
      element.dataset.mounted = "false";
    }
  }

  // plotly.js is large: what does not need it is shown first.
  async function startPlotly() {
    const element = document.createElement("script");
    element.src = script(await part(plotly));
    await new Promise((resolve, reject) => {
      element.onload = resolve;
      element.onerror = () => reject(new Error("plotly could not start: the page forbids its script."));
      document.head.append(element);
    });
    return globalThis.Plotly;
  }

  const places = [...document.querySelectorAll("[data-model]")];
  let begin;
  if (plotly) globalThis[Symbol.for("llmlens.plotly")] = new Promise((resolve) => { begin = resolve; }).then(startPlotly);
  const mounted = Promise.all(places.map(mount));
  mounted.then(() => { begin?.(); document.documentElement.dataset.mounted = "true"; });
  globalThis[Symbol.for("llmlens.page")] = { models, model: (id) => model(id).model, mounted };
})();
