// What a map is before its points have come. The parts of the view share it.
function emptyState(color) {
  return {
    n: 0, x: [], y: [], extent: [0, 1, 0, 1], layout: "", density: null, window: null, windows: null, day: [], days: [], perDay: [],
    cluster: null, clusters: null, facts: null, looks: null, unit: "trace", text: "output", colour: { name: color, reply: {} },
    windowOn: [true, true, true], dayOn: -1, labelsOn: true, densityOn: true, selected: null, nSelected: 0, shownCount: 0, tool: "lasso", at: "",
    colours(look) { return colouring(this.colour.reply, this.colour.name, this, look); },
    swatch(cluster, theme) { return this.colour.name === "cluster" ? this.looks[theme].colors[cluster % 7] : null; },
    isShown(i) { return this.windowOn[this.window ? this.window[i] : 0]; },
    isInDay(i) { return this.dayOn < 0 || this.day[i] === this.dayOn; },
    isLit(i) { return this.isInDay(i) && (this.selected === null || this.selected[i] === 1); },
    withLabels() { return this.labelsOn; },
    withDensity() { return this.densityOn && this.dayOn < 0; },
  };
}
