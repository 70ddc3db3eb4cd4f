// Days under the map: bars of how many points each has, and a slider that plays them over the picture, which stays.

const PLAY_MS = 750;

// `on.day(k)` is told the day, -1 for all.
function mapDays(view, state, on) {
  const bars = h("div", { class: "lm-bars", "aria-hidden": "true" });
  const slider = h("input", { type: "range", class: "lm-slider", "aria-label": "Day" });
  const label = h("span", { class: "lm-day-label" });
  const play = h("button", { type: "button", class: "lm-button lm-quiet", title: "Play the days (Space)", "aria-label": "Play the days", onclick: () => toggle() });
  const all = h("button", { type: "button", class: "lm-button lm-quiet", title: "All days", onclick: () => set(-1) }, "all days");
  const element = h("div", { class: "lm-row lm-days", "data-pane": "days" }, play, h("div", { class: "lm-track lm-grow" }, bars, slider), label, all);
  let timer = 0;

  function icons() {
    fill(play, h("span", { "aria-hidden": "true" }, timer ? "❚❚" : "▶"));
    play.setAttribute("aria-pressed", String(Boolean(timer)));
  }

  function set(day, stay = false) {
    if (!stay) stop();
    state.dayOn = Math.max(-1, Math.min(state.days.length - 1, day));
    show();
    on.day(state.dayOn);
  }

  function show() {
    const day = state.dayOn;
    slider.value = String(day + 1);
    const count = day < 0 ? state.n : state.perDay[day];
    const words = day < 0 ? `${state.days[0]} – ${state.days[state.days.length - 1]}` : state.days[day];
    slider.setAttribute("aria-valuetext", `${words}, ${many(count, state.unit)}`);
    fill(label, words, h("span", { class: "lm-muted" }, ` ${format.full(count)}`));
    all.disabled = day < 0;
    bars.querySelectorAll("span").forEach((bar, k) => bar.toggleAttribute("data-on", day < 0 || k === day));
  }

  function stop() {
    clearInterval(timer);
    timer = 0;
    icons();
  }

  function toggle() {
    if (timer) return stop();
    if (state.dayOn >= state.days.length - 1) set(-1);
    timer = setInterval(() => {
      if (state.dayOn >= state.days.length - 1) stop();
      else set(state.dayOn + 1, true);
    }, PLAY_MS);
    icons();
    set(state.dayOn + 1, true);
  }

  slider.addEventListener("input", () => set(Number(slider.value) - 1));
  view.signal.addEventListener("abort", stop);
  icons();

  return {
    element, toggle,
    step(by) { set(state.dayOn + by); },
    // Other points.
    draw() {
      stop();
      element.hidden = state.days.length < 2;
      if (element.hidden) return;
      slider.min = "0";
      slider.max = String(state.days.length);
      state.perDay = state.days.map(() => 0);
      const after = state.days.map(() => 0);
      for (let i = 0; i < state.n; i++) {
        state.perDay[state.day[i]]++;
        if (state.window?.[i] === 1) after[state.day[i]]++;
      }
      const most = Math.max(...state.perDay);
      fill(bars, h("span", { class: "lm-gap" }), state.perDay.map((count, k) => h("span", { "data-on": "",
        style: { height: `${count ? Math.max(8, (100 * count) / most) : 0}%`, "--after": `${count ? (100 * after[k]) / count : 0}%` } })));
      bars.toggleAttribute("data-windows", Boolean(state.window));
      show();
    },
  };
}
