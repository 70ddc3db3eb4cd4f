// The tree of one trace as flat arrays: no recursion, so that 25,000 spans or a depth of 10,000 are nothing special.

const USAGE_KINDS = new Set(["llm", "embedding", "reranker"]);
const NO_PARENT = -1;
const decode = (coded, row) => (coded.codes[row] < 0 ? null : coded.values[coded.codes[row]]);

// Build from the columns of one trace. Per row: `up` (parent row or -1), `depth`, `size` (spans in its subtree, itself
// included) and the rolled-up `tokens`, `cost`, `unpriced` (calls without a known price) and `failedBelow`; `order` is
// the rows in preorder and `place` its inverse. `orphan` marks rows whose parent is missing or part of a cycle.
function buildTree(index) {
  const n = index.n;
  const up = Int32Array.from(index.parent, (p) => (p >= 0 && p < n ? p : NO_PARENT));
  const orphan = Uint8Array.from(index.parent, (p) => (p === -2 ? 1 : 0));
  const firstChild = new Int32Array(n).fill(-1);
  const nextChild = new Int32Array(n).fill(-1);
  for (let row = n - 1; row >= 0; row--) {
    const parent = up[row];
    if (parent < 0) continue;
    nextChild[row] = firstChild[parent];
    firstChild[parent] = row;
  }
  const order = new Int32Array(n);
  const place = new Int32Array(n).fill(-1);
  const depth = new Int32Array(n);
  let filled = 0;
  const walk = (root) => {
    const stack = [root];
    while (stack.length) {
      const row = stack.pop();
      if (place[row] >= 0) continue;
      place[row] = filled;
      order[filled++] = row;
      depth[row] = up[row] < 0 ? 0 : depth[up[row]] + 1;
      const at = stack.length;
      for (let child = firstChild[row]; child >= 0; child = nextChild[child]) if (place[child] < 0) stack.push(child);
      for (let a = at, b = stack.length - 1; a < b; a++, b--) [stack[a], stack[b]] = [stack[b], stack[a]];
    }
  };
  for (let row = 0; row < n; row++) if (up[row] < 0) walk(row);
  for (let row = 0; row < n; row++) {
    if (place[row] >= 0) continue;
    up[row] = NO_PARENT;
    orphan[row] = 2;
    walk(row);
  }

  const size = new Int32Array(n).fill(1);
  const failed = new Uint8Array(n);
  const failedBelow = new Int32Array(n);
  const tokens = new Float64Array(n);
  const cost = new Float64Array(n);
  const priced = new Int32Array(n);
  const unpriced = new Int32Array(n);
  for (let at = n - 1; at >= 0; at--) {
    const row = order[at];
    failed[row] = decode(index.status, row) === "error" ? 1 : 0;
    if (USAGE_KINDS.has(decode(index.kind, row))) {
      tokens[row] += (index.input_tokens[row] ?? 0) + (index.output_tokens[row] ?? 0);
      if (index.cost_usd[row] !== null) { cost[row] += index.cost_usd[row]; priced[row]++; }
      else if (index.used[row]) unpriced[row]++;
    }
    const parent = up[row];
    if (parent < 0) continue;
    size[parent] += size[row];
    failedBelow[parent] += failedBelow[row] + failed[row];
    tokens[parent] += tokens[row];
    cost[parent] += cost[row];
    priced[parent] += priced[row];
    unpriced[parent] += unpriced[row];
  }

  let last = 0;
  let first = 0;
  for (let row = 0; row < n; row++) {
    first = Math.min(first, index.start[row] ?? 0);
    last = Math.max(last, index.end[row] ?? index.start[row] ?? 0);
  }
  const repeats = new Map();
  for (const at of order) {
    const group = index.same[at];
    if (group === undefined) continue;
    if (!repeats.has(group)) repeats.set(group, []);
    repeats.get(group).push(at);
  }
  const rowOf = new Map(index.span_id.map((id, row) => [id, row]));
  return {
    index, n, up, orphan, order, place, depth, size, failed, failedBelow, tokens, cost, priced, unpriced, first, last, rowOf,
    deepest: depth.reduce((a, b) => Math.max(a, b), 0),
    name: (row) => decode(index.name, row) || "(no name)",
    kind: (row) => decode(index.kind, row) || "span",
    // Which of how many identical tool calls a row is: [2, 3], or null.
    repeat(row) {
      const group = repeats.get(index.same[row]);
      return group ? [group.indexOf(row) + 1, group.length] : null;
    },
  };
}

// The rows to show, in order: subtrees in `collapsed` are left out; with `kept` (a Uint8Array) only rows in it are shown.
function visibleRows(tree, collapsed, kept) {
  const rows = [];
  for (let at = 0; at < tree.n;) {
    const row = tree.order[at];
    if (kept && !kept[row]) { at += tree.size[row]; continue; }
    rows.push(row);
    at += !kept && collapsed.has(row) ? tree.size[row] : 1;
  }
  return rows;
}

// The rows of `hits` and all their ancestors, as a Uint8Array.
function withAncestors(tree, hits) {
  const kept = new Uint8Array(tree.n);
  for (const hit of hits) for (let row = hit; row >= 0 && !kept[row]; row = tree.up[row]) kept[row] = 1;
  return kept;
}

// The rows whose name, kind, model, agent, error or id has the text in it.
function namedLike(tree, text) {
  const needle = text.trim().toLowerCase();
  if (!needle) return [];
  const { index } = tree;
  const fields = [index.name, index.kind, index.model, index.agent_name, index.error_type];
  const codes = fields.map((f) => f.values.map((v) => String(v).toLowerCase().includes(needle)));
  const hits = [];
  for (let row = 0; row < tree.n; row++)
    if (fields.some((f, i) => codes[i][f.codes[row]]) || index.span_id[row].toLowerCase() === needle) hits.push(row);
  return hits;
}

// The element of sorted preorder `rows` after (step 1) or before (step -1) `from`, around the end.
function besideRow(tree, rows, from, step) {
  if (!rows.length) return -1;
  const here = from < 0 ? -1 : tree.place[from];
  if (step > 0) return rows.find((row) => tree.place[row] > here) ?? rows[0];
  return rows.findLast((row) => tree.place[row] < here) ?? rows[rows.length - 1];
}

// A duration on an axis, where it is always round: 2 s, not 2.00 s.
const tickText = (ms) =>
  format.ms(ms).replace(/\.0+ /, " ").replace(/(\.\d*[1-9])0+ /, "$1 ").replace(/ 0s$/, "").replace(/ 0m$/, "");

// Marks of a time axis of `length` ms: about `wanted` of them, at round numbers.
function ticks(length, wanted = 4) {
  if (!(length > 0)) return [];
  const rough = length / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= rough);
  const marks = [];
  for (let at = step; at < length * 0.86 && marks.length < 20; at += step) marks.push(at);
  return marks;
}
