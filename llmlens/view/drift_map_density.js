// Under the points: where the one window has more than the other, as a picture that is stretched over the map.

function mapDensity(state, frame, mode) {
  const element = canvasOver("lm-under");
  return {
    element,
    paint() {
      const density = state.density;
      element.hidden = !density || !state.withDensity();
      if (element.hidden) return;
      const { size, cells } = density;
      element.width = element.height = size;
      const picture = new ImageData(size, size);
      const look = state.looks[mode()];
      const part = (color, k) => parseInt(color.slice(1 + 2 * k, 3 + 2 * k), 16);
      const sides = [look.colors[0], look.colors[5]].map((color) => [0, 1, 2].map((k) => part(color, k)));
      for (let row = 0; row < size; row++) {
        for (let column = 0; column < size; column++) {
          const value = cells[row * size + column] / 127;
          const at = 4 * ((size - 1 - row) * size + column);
          picture.data.set(sides[value > 0 ? 1 : 0], at);
          picture.data[at + 3] = Math.round(255 * 0.4 * Math.abs(value) ** 0.7);
        }
      }
      element.getContext("2d").putImageData(picture, 0, 0);
    },
    place() {
      if (element.hidden || !state.density) return;
      const [left, right, bottom, top] = state.density.extent;
      const sides = { left: frame.x(left), top: frame.y(top), width: frame.x(right) - frame.x(left), height: frame.y(bottom) - frame.y(top) };
      for (const [key, value] of Object.entries(sides)) element.style.setProperty(key, `${value}px`);
    },
  };
}
