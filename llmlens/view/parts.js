// Small parts that several views share: numbers and times as text, copying, a debounce.

const DASH = "–";
const trim = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

const format = {
  // Milliseconds as a duration: 0.4 ms, 340 ms, 1.24 s, 12.4 s, 3m 20s, 2h 5m.
  ms(value) {
    if (value === null || value === undefined || !Number.isFinite(value)) return DASH;
    const sign = value < 0 ? "-" : "";
    const v = Math.abs(value);
    if (v < 1) return v === 0 ? "0 ms" : `${sign}${v.toFixed(1)} ms`;
    if (v < 999.5) return `${sign}${Math.round(v)} ms`;
    if (v < 9995) return `${sign}${(v / 1000).toFixed(2)} s`;
    if (v < 59950) return `${sign}${(v / 1000).toFixed(1)} s`;
    const seconds = Math.round(v / 1000);
    if (seconds < 3600) return `${sign}${Math.floor(seconds / 60)}m ${seconds % 60}s`;
    if (seconds < 86400 * 2) return `${sign}${Math.floor(seconds / 3600)}h ${Math.floor((seconds % 3600) / 60)}m`;
    return `${sign}${Math.floor(seconds / 86400)}d ${Math.floor((seconds % 86400) / 3600)}h`;
  },
  // US dollars with enough digits to tell small calls apart; `exact` also shows what is tiny.
  usd(value, exact = false) {
    if (value === null || value === undefined || !Number.isFinite(value)) return DASH;
    if (value === 0) return "$0";
    const v = Math.abs(value);
    if (v < 0.0001) return exact ? `$${value.toFixed(9).replace(/0+$/, "")}` : "<$0.0001";
    if (v >= 1000) return `$${Math.round(value).toLocaleString("en-US")}`;
    return `$${value.toFixed(v >= 1 ? 2 : v >= 0.1 ? 3 : v >= 0.001 ? 4 : 5)}`;
  },
  // A count in few characters: 912, 1.2k, 34k, 1.2M.
  count(value) {
    if (value === null || value === undefined || !Number.isFinite(value)) return DASH;
    if (value < 1000) return trim(String(Math.round(value * 100) / 100));
    for (const [unit, size] of [["k", 1e3], ["M", 1e6], ["B", 1e9]]) {
      const scaled = value / size;
      if (scaled < 999.5 || unit === "B") return `${scaled < 9.95 ? trim(scaled.toFixed(1)) : Math.round(scaled)}${unit}`;
    }
    return String(value);
  },
  // A count in full: 12,345.
  full: (value) => (value === null || value === undefined ? DASH : Number(value).toLocaleString("en-US")),
  // Epoch milliseconds as date and time in UTC.
  time(value) {
    if (value === null || value === undefined || !Number.isFinite(value)) return DASH;
    const date = new Date(value);
    return Number.isNaN(date.getTime()) ? DASH : date.toISOString().replace("T", " ").slice(0, 19);
  },
};

// A count with its noun: 1 span, 2,000 spans.
const many = (n, one, more = `${one}s`) => `${format.full(n)} ${n === 1 ? one : more}`;

// Copy to the clipboard; where the page may not, select into a hidden field and let the browser do it.
async function copyText(text, root) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "lm-offscreen";
    root.appendChild(field);
    const before = document.activeElement;
    field.select();
    const done = document.execCommand?.("copy") ?? false;
    field.remove();
    before?.focus?.({ preventScroll: true });
    return done;
  }
}

// A button that copies what `text()` gives and says so.
function copyButton(root, text, label = "Copy") {
  const button = h("button", { type: "button", class: "lm-button lm-quiet lm-copy", title: label, "aria-label": label }, icon("copy"));
  button.addEventListener("click", async () => {
    const done = await copyText(await text(), root);
    fill(button, icon(done ? "check" : "close"));
    button.dataset.copied = String(done);
    setTimeout(() => { fill(button, icon("copy")); delete button.dataset.copied; }, 1200);
  });
  return button;
}

// Call `act` when no further call has come for `wait` ms.
function debounce(act, wait, signal) {
  let timer = 0;
  signal?.addEventListener("abort", () => clearTimeout(timer));
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...values), wait);
  };
}

// Of `others`, things at a place `at: [x, y]`, the nearest on that side of a place, for arrow keys; null where none is.
function nearestOnSide([x, y], others, dx, dy) {
  let best = null;
  for (const other of others) {
    const [along, aside] = [(other.at[0] - x) * dx + (other.at[1] - y) * dy, Math.abs((other.at[0] - x) * dy) + Math.abs((other.at[1] - y) * dx)];
    if (along > 1 && (!best || along + 2 * aside < best.far)) best = { other, far: along + 2 * aside };
  }
  return best && best.other;
}
