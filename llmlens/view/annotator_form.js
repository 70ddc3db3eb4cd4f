// The right pane: the questions one below the other, and what is done with the item.

// `act`: `save(field, value, comment)`, `retry(field)`, `complete()`, `skip(reason)`, `undo()`, `left()`.
function annotationForm(view, scores, act) {
  let active = 0;
  let warned = false;
  const said = h("div", { class: "lm-said", role: "status", "aria-live": "polite" });
  const say = (text) => {
    fill(said, text);
    view.root.dataset.said = text;
  };
  const fields = scores.map((score, number) => scoreField(view, score, {
    number, say, save: act.save, retry: act.retry, activate: (field, focus = true) => activate(fields.indexOf(field), focus),
  }));
  const others = h("div", { class: "lm-others", hidden: true });
  const reason = h("input", { class: "lm-input", type: "text", maxlength: "500", placeholder: "Why? (may be left empty)", "aria-label": "Why skip it" });
  const skipBar = h("div", { class: "lm-skip", "data-pane": "skip", hidden: true },
    h("b", {}, "Skip"), reason,
    h("button", { type: "button", class: "lm-button", onclick: () => skip() }, "Skip ", h("kbd", {}, "Enter")),
    h("button", { type: "button", class: "lm-button lm-quiet", onclick: () => closeSkip() }, "Keep ", h("kbd", {}, "Esc")));
  const button = (label, key, title, onclick, className = "") => h("button", {
    type: "button", class: `lm-button ${className}`, title, onclick }, label, keyCaps(key));
  const complete = button("Complete", "Ctrl+Enter", "Complete this item and go on to the next", () => act.complete(), "lm-primary");
  const mark = h("div", { class: "lm-mark", hidden: true });
  const buttons = h("div", { class: "lm-row lm-buttons" },
    button("Skip", "s", "Put this item off; it is not done", () => openSkip()),
    button("Undo", "u", "Take back the last thing you did, whatever it was", () => act.undo()), h("span", { class: "lm-grow" }), complete);
  const list = h("div", { class: "lm-fields" }, mark, fields.map((field) => field.element), others);
  const footer = h("footer", {}, said, skipBar, buttons);
  const element = h("section", { class: "lm-pane lm-form", "aria-label": "Your answers" },
    list, footer);
  keepWheel(view, list);

  function activate(number, focus = true) {
    active = Math.max(0, Math.min(fields.length, number));
    fields.forEach((field, i) => field.setActive(i === active));
    const field = fields[active];
    view.root.dataset.active = field ? field.score.name : "complete";
    if (!focus) return;
    if (field) {
      field.focus();
      field.element.scrollIntoView({ block: "nearest" });
    } else complete.focus({ preventScroll: true });
  }

  function openSkip() {
    skipBar.hidden = false;
    buttons.hidden = true;
    reason.value = "";
    reason.focus({ preventScroll: true });
  }
  function closeSkip() {
    skipBar.hidden = true;
    buttons.hidden = false;
    activate(active);
    return true;
  }
  function skip() {
    const why = reason.value.trim();
    closeSkip();
    act.skip(why || null);
  }

  const form = {
    element, fields, say, openSkip, closeSkip, skip,
    get active() { return fields[active] ?? null; },
    get skipping() { return !skipBar.hidden; },
    activate,
    focus: () => activate(active),
    move: (step) => activate(active + step),
    // Show another item.
    show(item) {
      warned = false;
      skipBar.hidden = true;
      buttons.hidden = false;
      const own = new Map(item.status.labels.map((label) => [label.name, label]));
      const asked = new Set(fields.map((field) => field.score.name));
      for (const field of fields)
        field.show(own.get(field.score.name) ?? null, item.given.filter((score) => score.name === field.score.name));
      const rest = item.given.filter((score) => !asked.has(score.name));
      others.hidden = rest.length === 0;
      fill(others, h("div", { class: "lm-caption" }, "Other scores"),
        rest.map((score) => h("div", { class: "lm-other" }, h("span", { class: "lm-muted" }, `${oneLine(score.name, 60)} `), givenChip(score))));
      form.update(item.status);
      const first = fields.findIndex((field) => !field.answered);
      activate(Math.max(0, first), false);
      list.scrollTop = 0;
    },
    // Show how far this item is.
    update(status) {
      const own = new Map(status.labels.map((label) => [label.name, label]));
      for (const field of fields) field.update(own.get(field.score.name) ?? null);
      mark.hidden = !status.mark;
      mark.dataset.mark = status.mark?.kind ?? "";
      const skipped = status.mark?.kind === "skip";
      fill(mark, status.mark && [
        icon(skipped ? "right" : "check"), h("b", {}, skipped ? "Skipped" : "Done"),
        !skipped && (status.completed ?? null) !== null && h("span", { class: "lm-cut", "data-completed": String(status.completed) },
          status.completed ? "and completed in the queue" : "here; in the queue when the answers are confirmed"),
        skipped && status.mark.reason ? h("span", { class: "lm-cut", title: visible(status.mark.reason) }, oneLine(status.mark.reason)) : null]);
    },
    // Save what was typed; false when something of it cannot be.
    commit: () => fields.every((field) => field.commit()),
    failed: () => fields.find((field) => field.failed) ?? null,
    // May the item be completed? A question left open is pointed at first.
    complete() {
      const open = fields.findIndex((field) => !field.answered && !field.optional);
      if (fields.every((field) => !field.answered)) {
        say("Nothing is answered yet. Press s to skip this item.");
        activate(Math.max(0, open));
        return false;
      }
      if (open < 0 || warned) return true;
      warned = true;
      say(`${oneLine(fields[open].score.name, 60)} has no answer. Once more to complete without it.`);
      activate(open);
      return false;
    },
    // Nothing can be saved here.
    freeze() {
      element.toggleAttribute("data-frozen", true);
      for (const control of element.querySelectorAll("input, textarea")) control.setAttribute("disabled", "");
      footer.hidden = true;
    },
  };
  activate(0, false);
  return form;
}
