// How points look: their size, their colours, and the order they are drawn in.

const SIZES = [[1500, 7], [6000, 5.5], [20000, 4], [60000, 3], [Infinity, 2.5]];
const ROUNDS = 4; // in which the colours take turns, so that none lies over all others
const FAINT = { light: "#e1e4e9", dark: "#2a2f38" }; // opaque: many over each other must not become dark

const dotSize = (n) => SIZES.find(([most]) => n <= most)[1];

// The points as traces of plotly: by number on a scale, else each colour in turns.
function dotTraces(state, look, theme) {
  const { n, x, y } = state;
  const size = dotSize(state.n);
  const colours = state.colours(look);
  const shown = [];
  for (let i = 0; i < n; i++) if (state.isShown(i)) shown.push(i);
  const dots = (rows, marker) => ({
    type: "scattergl", mode: "markers", hoverinfo: "skip",
    x: Float32Array.from(rows, (i) => x[i]), y: Float32Array.from(rows, (i) => y[i]),
    marker: { size, line: { width: 0 }, ...marker },
  });
  const made = [];
  if (colours.kind === "numbers") {
    const known = shown.filter((i) => Number.isFinite(colours.numbers[i]));
    const unknown = shown.filter((i) => !Number.isFinite(colours.numbers[i]));
    const scale = look.scale.map((color, k) => [k / (look.scale.length - 1), color]);
    if (unknown.length) made.push(dots(unknown, { color: FAINT[theme] }));
    made.push(dots(known, { color: Float32Array.from(known, (i) => colours.numbers[i]), colorscale: scale,
      cmin: colours.low, cmax: colours.high, opacity: 0.85 }));
    return made;
  }
  const groups = colours.swatches.map(() => Array.from({ length: ROUNDS }, () => []));
  // A point's turn is by its number's hash: rows are in order of time, and neighbours in time must not stick together.
  for (const i of shown) groups[colours.codes[i]]?.[(Math.imul(i, 2654435761) >>> 16) % ROUNDS].push(i);
  const order = groups.map((_, k) => k).sort((a, b) => Number(Boolean(colours.swatches[b].quiet)) - Number(Boolean(colours.swatches[a].quiet)));
  for (let round = 0; round < ROUNDS; round++) {
    for (const k of order) {
      const { color, quiet } = colours.swatches[k];
      if (groups[k][round].length) made.push(dots(groups[k][round], { color, opacity: quiet ? 0.45 : 0.78 }));
    }
  }
  return made;
}
