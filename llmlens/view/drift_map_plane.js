// Where on the screen a place of the map is. One unit is as long across as it is up: distances are what a map is about.

function plane() {
  let [width, height] = [1, 1];
  let [middleX, middleY, unit] = [0, 0, 1]; // unit: of the map, per pixel
  let whole = 1; // the unit at which all is seen
  const made = {
    get width() { return width; },
    get height() { return height; },
    x: (value) => (value - middleX) / unit + width / 2,
    y: (value) => height / 2 - (value - middleY) / unit,
    placeX: (pixel) => (pixel - width / 2) * unit + middleX,
    placeY: (pixel) => (height / 2 - pixel) * unit + middleY,
    length: (pixels) => pixels * unit,
    // Another size of the window on the map; what is in its middle stays there.
    resize(w, h) {
      const before = whole;
      [width, height] = [Math.max(1, w), Math.max(1, h)];
      if (made.extent) whole = made.unitFor(made.extent);
      unit *= whole / before;
    },
    unitFor: ([left, right, bottom, top]) => Math.max((right - left) / width, (top - bottom) / height, 1e-9),
    // See all of this.
    fit(extent) {
      made.extent = extent;
      unit = whole = made.unitFor(extent);
      [middleX, middleY] = [(extent[0] + extent[1]) / 2, (extent[2] + extent[3]) / 2];
    },
    // Nearer by this factor, with what is at a pixel staying there.
    zoom(factor, px = width / 2, py = height / 2) {
      const [x, y] = [made.placeX(px), made.placeY(py)];
      unit = Math.min(whole * 1.5, Math.max(whole / 200, unit / factor));
      middleX += x - made.placeX(px);
      middleY += y - made.placeY(py);
    },
    pan(dx, dy) {
      middleX -= dx * unit;
      middleY += dy * unit;
    },
    ranges: () => [[made.placeX(0), made.placeX(width)], [made.placeY(height), made.placeY(0)]],
  };
  return made;
}
