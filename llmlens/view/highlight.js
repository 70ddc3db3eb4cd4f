// What is searched for, marked in the texts of a pane without touching them (CSS Custom Highlight API, where it is there).

const MOST_MARKS = 1000;
const HIGHLIGHT = "llmlens-find";

// Give a function `mark(element)` that marks `view.needle` in the element, and returns the first range or null.
function highlighter(view) {
  const registry = globalThis.CSS?.highlights;
  let mine = [];
  const clear = () => {
    const shared = registry?.get(HIGHLIGHT);
    for (const range of mine) shared?.delete(range);
    mine = [];
  };
  view.signal.addEventListener("abort", clear);
  return (element) => {
    clear();
    const needle = (view.needle || "").trim().toLowerCase();
    if (!registry || !needle) return null;
    if (!registry.has(HIGHLIGHT)) registry.set(HIGHLIGHT, new Highlight());
    const shared = registry.get(HIGHLIGHT);
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node && mine.length < MOST_MARKS; node = walker.nextNode()) {
      const text = node.data.toLowerCase();
      if (text.length !== node.data.length) continue;
      for (let at = text.indexOf(needle); at >= 0 && mine.length < MOST_MARKS; at = text.indexOf(needle, at + needle.length)) {
        const range = new Range();
        range.setStart(node, at);
        range.setEnd(node, at + needle.length);
        shared.add(range);
        mine.push(range);
      }
    }
    return mine[0] ?? null;
  };
}
