// The groups of a cost tree as they come in one reply, and their colours. No page is needed to test this.

const MEASURES = {
  cost_usd: { total: "cost", each: "cost per call", show: format.usd, lacks: "no price" },
  input_tokens: { total: "input tokens", each: "input tokens per call", show: format.count, lacks: "no input tokens" },
  output_tokens: { total: "output tokens", each: "output tokens per call", show: format.count, lacks: "no output tokens" },
  total_tokens: { total: "tokens", each: "tokens per call", show: format.count, lacks: "no tokens" },
  calls: { total: "calls", each: "cost per call", show: format.full, lacks: "" },
  duration_s: { total: "time", each: "time per call", show: (value) => format.ms(value * 1000), lacks: "no end" },
};

const percent = (share) => (share >= 0.9995 ? "100 %" : share >= 0.0995 ? `${(share * 100).toFixed(0)} %` : `${(share * 100).toFixed(share >= 0.001 ? 1 : 2)} %`);
const plural = (n, word) => `${format.full(n)} ${word}${n === 1 ? "" : "s"}`;

// A window in UTC: days when it is longer than two, else minutes.
function period(since, until) {
  const length = until - since > 2 * 86400000 ? 10 : 16;
  const [from, to] = [format.time(since).slice(0, length), format.time(until).slice(0, length)];
  return from === to ? `${from} UTC` : `${from} – ${to} UTC`;
}

// The groups of one reply: rows by number, their children, their labels from the root.
function groups(reply) {
  const { rows, value } = reply;
  const measure = MEASURES[value];
  const below = rows.label.map(() => []);
  rows.parent.forEach((parent, i) => { if (parent >= 0) below[parent].push(i); });
  const byCost = value === "cost_usd" || value === "calls";
  const ratio = (amount, n) => (n > 0 ? amount / n : null);
  return {
    ...reply, measure, below,
    total: rows.value[0],
    labels: (i) => groupLabels(rows, i),
    share: (i) => (rows.value[0] > 0 ? rows.value[i] / rows.value[0] : 0),
    perCall: (i) => (byCost ? ratio(rows.cost_usd[i], rows.calls[i] - rows.n_unpriced[i]) : ratio(rows.value[i], rows.calls[i] - rows.n_missing[i])),
    showEach: byCost ? format.usd : measure.show,
    known: (i) => rows.calls[i] > rows.n_missing[i],
    costPerTrace: (i) => (rows.calls[i] > rows.n_unpriced[i] ? ratio(rows.cost_usd[i], rows.n_traces[i]) : null),
    // The row at these labels, or at as many of them as are here.
    find(labels) {
      let at = 0;
      for (const label of labels) {
        const next = below[at].find((i) => rows.label[i] === label);
        if (next === undefined) break;
        at = next;
      }
      return at;
    },
  };
}

function groupLabels(rows, i) {
  const labels = [];
  for (let at = i; rows.parent[at] >= 0; at = rows.parent[at]) labels.unshift(rows.label[at]);
  return labels;
}

// Colours for the cost per call, from nothing to the dearest: linear, so that twice as dark is twice as dear. Groups that
// together are under 1 % of the total do not stretch the scale.
function colouring(tree) {
  const leaves = tree.rows.label.map((_, i) => i).filter((i) => !tree.below[i].length && tree.perCall(i) > 0);
  leaves.sort((a, b) => tree.perCall(b) - tree.perCall(a));
  let dearer = 0;
  const top = leaves.find((i) => (dearer += tree.share(i)) > 0.01) ?? leaves[0];
  const high = top === undefined ? 0 : tree.perCall(top);
  return { average: tree.perCall(0), high, place: (each) => (high > 0 && each !== null ? Math.min(1, each / high) : null) };
}

function mixed(scale, place) {
  const at = place * (scale.length - 1);
  const i = Math.min(scale.length - 2, Math.floor(at));
  const part = (color, k) => parseInt(color.slice(1 + 2 * k, 3 + 2 * k), 16);
  return [0, 1, 2].map((k) => Math.round(part(scale[i], k) + (at - i) * (part(scale[i + 1], k) - part(scale[i], k))));
}

// Dark ink or white, whichever reads better on the colour (WCAG relative luminance).
function inkOn(rgb) {
  const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.2 ? "#10151c" : "#ffffff";
}
