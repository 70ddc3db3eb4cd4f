// The rows of the list of traces. Up to one page they are all here, and are sorted and filtered here; beyond that the
// kernel sorts and filters, and rows come in pages as they are scrolled to.

const SORTS = {
  time: "start", name: "name", feature: "feature", duration: "duration_s", cost: "cost_usd", tokens: "tokens", errors: "n_errors",
};
const FIRST_PAGE = 10000;
const NEXT_PAGES = 200;
const UNSORTED = { sort: "time", descending: true, search: "", offset: 0 };
const NAMED = ["trace_id", "name", "feature", "user_id", "session_id", "models", "preview"];

// `onChange()` is called when there are other rows to show.
function traceSource(view, onChange) {
  let columns = null;
  let complete = true;
  let order = [];
  let pages = new Map();
  let found = null;
  let asked = 0;
  const source = {
    sort: "time", descending: true, search: "", total: 0, count: 0,
    get complete() { return complete; },

    // The first rows are asked for and shown before the others: those of one page follow at once, those of more when they
    // are scrolled to.
    async load() {
      const turn = ++asked;
      const page = await fetchPage(0, view.isStatic ? FIRST_PAGE : NEXT_PAGES);
      if (turn !== asked) return;
      source.total = page.total;
      complete = page.columns.trace_id.length >= page.total || view.isStatic;
      if (complete) return hold(page);
      show(page);
      if (page.total > FIRST_PAGE) return;
      const all = await view.request("page", { ...UNSORTED, limit: FIRST_PAGE }, { quiet: true });
      if (turn !== asked || all.columns.trace_id.length < all.total) return;
      complete = true;
      await hold(all, true);
    },

    // Sort and filter anew.
    async refresh() {
      if (complete) {
        if (columns) await rearrange();
        return;
      }
      const turn = ++asked;
      const page = await fetchPage(0);
      if (turn === asked) show(page);
    },

    setSort(key) {
      if (source.sort === key) source.descending = !source.descending;
      else Object.assign(source, { sort: key, descending: !["name", "feature"].includes(key) });
      return source.refresh();
    },

    setSearch(text) {
      if (text === source.search) return Promise.resolve();
      source.search = text;
      found = null;
      return source.refresh();
    },

    // The row at a position as an object, or null while its page is on the way.
    row(position) {
      if (complete) return pick(columns, order[position]);
      const number = Math.floor(position / NEXT_PAGES);
      const page = pages.get(number);
      if (page === undefined) {
        pages.set(number, null);
        const mine = pages;
        fetchPage(number).then((p) => { mine.set(number, p); if (mine === pages) onChange(true); },
          (error) => { mine.delete(number); view.fail(error, () => onChange(true)); });
      }
      return page ? pick(page.columns, position - number * NEXT_PAGES) : null;
    },

    // Where a trace is in the list, -1 when it is not or not yet known.
    position(traceId) {
      if (complete) return order.findIndex((row) => columns.trace_id[row] === traceId);
      for (const [number, page] of pages) {
        const at = page ? page.columns.trace_id.indexOf(traceId) : -1;
        if (at >= 0) return number * NEXT_PAGES + at;
      }
      return -1;
    },
  };

  function fetchPage(number, limit = NEXT_PAGES) {
    // A static copy holds one page, in one order.
    const { sort, descending, search } = view.isStatic ? UNSORTED : source;
    return view.request("page", { sort, descending, search, offset: number * NEXT_PAGES, limit });
  }

  // All rows are here now; `same` says that they are those that are shown.
  function hold(page, same = false) {
    columns = page.columns;
    columns.tokens = columns.trace_id.map((_, i) => (columns.input_tokens[i] ?? 0) + (columns.output_tokens[i] ?? 0));
    return rearrange(same);
  }

  async function rearrange(same = false) {
    order = arrange();
    source.count = order.length;
    onChange(same);
    if (source.search && !view.isStatic) await searchTexts();
  }

  // These are the first rows of many.
  function show(page) {
    pages = new Map([[0, page]]);
    source.count = page.matching;
    onChange();
  }

  function pick(from, row) {
    if (row === undefined || from.trace_id[row] === undefined) return null;
    const made = Object.create(null);
    for (const name of Object.keys(from)) made[name] = from[name][row];
    made.tokens = (made.input_tokens ?? 0) + (made.output_tokens ?? 0);
    return made;
  }

  function arrange() {
    const rows = columns.trace_id.map((_, i) => i).filter(matches);
    const values = columns[SORTS[source.sort]];
    const sign = source.descending ? -1 : 1;
    return rows.sort((a, b) => {
      const x = values[a];
      const y = values[b];
      if (x === y) return a - b;
      if (x === null || x === undefined) return 1;
      if (y === null || y === undefined) return -1;
      return (x < y ? -1 : 1) * sign;
    });
  }

  function matches(row) {
    const needle = source.search.trim().toLowerCase();
    if (!needle || found?.has(columns.trace_id[row])) return true;
    return NAMED.some((name) => String(columns[name][row] ?? "").toLowerCase().includes(needle));
  }

  async function searchTexts() {
    const text = source.search;
    const ids = await view.request("search", { text });
    if (text !== source.search) return;
    found = new Set(ids);
    order = arrange();
    source.count = order.length;
    onChange();
  }
  return source;
}
