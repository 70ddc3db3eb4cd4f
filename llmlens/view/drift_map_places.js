// Where the points are, and how they go to where they belong.

const MOVE_FRAMES = 14;

function putPlaces(state, { x, y, extent, layout, density }) {
  Object.assign(state, { x: unpack(x), y: unpack(y), extent, layout, density: density && { ...density, cells: unpack(density.cells) } });
}

// The points go to where they belong, once; few enough of them are seen going there.
async function movePlaces(view, state, stage, places) {
  const { x, y } = state;
  putPlaces(state, places);
  const [toX, toY] = [state.x, state.y];
  const still = state.n > 6000 || globalThis.matchMedia?.("(prefers-reduced-motion: reduce)")?.matches || document.hidden;
  if (!still) {
    state.clusters = null; // names have no place meanwhile
    const density = state.density;
    state.density = null;
    stage.moved();
    for (let k = 1; k < MOVE_FRAMES && !view.signal.aborted; k++) {
      const part = 1 - (1 - k / MOVE_FRAMES) ** 3;
      state.x = toX.map((value, i) => x[i] + part * (value - x[i]));
      state.y = toY.map((value, i) => y[i] + part * (value - y[i]));
      await stage.paint();
    }
    Object.assign(state, { x: toX, y: toY, density });
  }
  stage.moved();
  await stage.paint();
}
