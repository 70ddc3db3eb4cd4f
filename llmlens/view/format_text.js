// Texts of strangers as elements: folded when long, coloured when JSON; always text nodes.

const FOLD = 1200;
const JSON_COLOURED = 60000;
const JSON_LINE = 46;
const NEXT_PART = 200000;
const JSON_TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g;

// What a text of JSON holds; undefined when it is none, or nests too deeply to be written again.
function parseJson(text) {
  if (!/^\s*[[{"]/.test(text)) return undefined;
  try {
    const value = JSON.parse(text);
    JSON.stringify(value);
    return value;
  } catch {
    return undefined;
  }
}

// JSON as text, what fits on a line kept on one.
function prettyJson(value, indent = 0, used = indent) {
  const flat = JSON.stringify(value) ?? "";
  if (value === null || typeof value !== "object" || indent > 100) return flat;
  const list = Array.isArray(value);
  if (flat.length === 2) return flat;
  const fits = flat.length + used < JSON_LINE;
  const inside = indent + 2;
  const parts = list ? value.map((v) => prettyJson(v, fits ? 0 : inside))
    : Object.entries(value).map(([k, v]) => {
      const key = JSON.stringify(k);
      return `${key}: ${fits ? prettyJson(v) : prettyJson(v, inside, inside + key.length)}`;
    });
  if (fits) return list ? `[${parts.join(", ")}]` : `{ ${parts.join(", ")} }`;
  const [open, close] = list ? "[]" : "{}";
  const pad = " ".repeat(inside);
  return `${open}\n${pad}${parts.join(`,\n${pad}`)}\n${" ".repeat(indent)}${close}`;
}

// JSON as text with its keys, strings and numbers coloured.
function jsonElement(value) {
  const flat = JSON.stringify(value) ?? "";
  const pre = h("pre", { class: "lm-text lm-json" });
  if (flat.length > JSON_COLOURED) return put(pre, visible(JSON.stringify(value, null, 2)));
  const text = visible(prettyJson(value));
  let at = 0;
  for (const match of text.matchAll(JSON_TOKEN)) {
    if (match.index > at) put(pre, text.slice(at, match.index));
    const [all, string, colon, number] = match;
    const kind = string ? (colon ? "key" : "text") : number ? "number" : "word";
    put(pre, [h("span", { class: `lm-j-${kind}` }, string || all), colon]);
    at = match.index + all.length;
  }
  return put(pre, text.slice(at));
}

// A text that may have been cut by the kernel (`{clipped, total, path}`): `more(path, offset)` fetches the rest.
function textParts(value) {
  if (typeof value?.clipped === "string") return { text: value.clipped, total: value.total, path: value.path };
  const text = typeof value === "string" ? value : (value ?? null) === null ? "" : JSON.stringify(value, null, 2);
  return { text, total: text.length, path: null };
}

// A folding text: the first `limit` characters, then a button for the rest, which is fetched when it is not here.
function foldedText(view, value, { more, limit = FOLD, json = true, className = "" } = {}) {
  let { text, total, path } = textParts(value);
  const needle = (view.needle || "").trim().toLowerCase();
  const short = total <= limit * 1.25;
  let open = short || (needle !== "" && text.toLowerCase().indexOf(needle) >= limit - needle.length);
  const holder = h("div", { class: `lm-fold ${className}` });
  const draw = () => {
    const whole = open && text.length >= total;
    const parsed = json && (whole || total <= limit * 8) ? parseJson(text) : undefined;
    const isJson = parsed !== null && typeof parsed === "object";
    let body;
    if (isJson && whole) body = jsonElement(parsed);
    else if (isJson) body = h("pre", { class: "lm-text lm-json" }, visible(prettyJson(parsed).slice(0, limit)), "…");
    else body = h("pre", { class: "lm-text" }, visible(open ? text : text.slice(0, limit)), !whole && "…");
    const rest = Math.min(total - text.length, NEXT_PART);
    const growText = open && rest > 0 ? `Show ${format.full(rest)} more of ${format.full(total)} characters`
      : `Show all ${format.full(total)} characters`;
    const button = (label, onclick, className = "") =>
      h("button", { type: "button", class: `lm-button lm-more ${className}`, onclick }, label);
    fill(holder, body, !whole && button(growText, grow),
      whole && !short && button("Fold", () => { open = false; draw(); }, "lm-quiet"));
    holder.dataset.open = String(whole);
  };
  async function grow() {
    open = true;
    if (text.length < total && path && more) {
      try {
        const part = await more(path, text.length);
        text += part.text;
        total = part.text ? part.total : text.length;
      } catch (error) { view.fail(error); }
    }
    draw();
  }
  draw();
  return holder;
}

// All of a text for the clipboard, fetched where it was cut.
async function wholeText(value, more) {
  let { text, total, path } = textParts(value);
  while (path && more && text.length < total) {
    const part = await more(path, text.length);
    if (!part.text) break;
    text += part.text;
  }
  return text;
}
