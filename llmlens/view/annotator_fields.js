// One question of the form: its answers, the comment, what others said, and how far the label is.

const WIDEST_SCALE = 9;
const STATE_TEXT = {
  saving: "saving…", saved: "saved", pending: "saved, waits to be sent", sent: "saved, sent", confirmed: "confirmed",
  rejected: "rejected", failed: "not saved",
};

// The answers that can be chosen with one key, as {key, text, value}; none where a number or a text is typed.
function answersOf(score) {
  if (score.data_type === "boolean") return [{ key: "1", text: "Yes", value: true }, { key: "2", text: "No", value: false }];
  if (score.data_type === "categorical")
    return score.categories.map((label, i) => ({ key: i < 9 ? String(i + 1) : null, text: label, value: label }));
  const { minimum: low, maximum: high } = score;
  const whole = score.data_type === "numeric" && Number.isInteger(low) && Number.isInteger(high);
  if (!whole || low < 0 || high > 9 || high - low > WIDEST_SCALE || high - low < 2) return [];
  return Array.from({ length: high - low + 1 }, (_, i) => ({ key: String(low + i), text: String(low + i), value: low + i }));
}

const sameValue = (a, b) => (typeof a === "number" && typeof b === "number" ? Math.abs(a - b) < 1e-9 : a === b);
const valueText = (value) => (typeof value === "boolean" ? (value ? "Yes" : "No") : String(value));
const rangeText = ({ minimum: low, maximum: high }) =>
  (low === null && high === null ? "a number" : `${low ?? "any"} to ${high ?? "any"}`);

// `act`: `save(field, value, comment)`, `retry(field)`, `activate(field)`, `leave(field)` when a text field is left.
function scoreField(view, score, act) {
  const answers = answersOf(score);
  const isNumber = score.data_type === "numeric";
  const isText = score.data_type === "text" || score.data_type === "correction";
  const id = `${view.uid}-f-${act.number}`;
  let label = null;
  let waiting = 0;
  let failed = null;
  let wantsComment = false;

  const state = h("span", { class: "lm-state", role: "status" });
  const others = h("div", { class: "lm-given" });
  const buttons = answers.map((answer) => h("button", {
    type: "button", class: "lm-answer", role: "radio", tabindex: "-1", "aria-checked": "false", "data-value": String(answer.value),
    onclick: () => { field.choose(answer.value); act.activate(field); },
  }, answer.key && !isNumber && h("kbd", {}, answer.key), h("span", {}, oneLine(answer.text, 80))));
  const typed = isNumber && !answers.length
    ? h("input", { class: "lm-input lm-typed", type: "text", inputmode: "decimal", autocomplete: "off", placeholder: rangeText(score) })
    : isText ? h("textarea", {
      class: "lm-input lm-typed", rows: score.data_type === "correction" ? "5" : "2", spellcheck: "true",
      maxlength: score.data_type === "text" ? "500" : null,
      placeholder: score.data_type === "correction" ? "The answer that should have been given" : "Enter, then type",
    }) : null;
  const comment = h("textarea", { class: "lm-input lm-comment", rows: "2", placeholder: "Why? Saved with the answer.", hidden: true });
  const addComment = h("button", {
    type: "button", class: "lm-button lm-quiet lm-add-comment", tabindex: "-1", onclick: () => { act.activate(field); field.comment(); },
  }, "Comment ", h("kbd", {}, "c"));
  const element = h("section", {
    class: "lm-field", id, tabindex: "-1", role: answers.length ? "radiogroup" : "group", "aria-labelledby": `${id}-name`,
    "aria-describedby": `${id}-help`, "data-score": score.name, "data-type": score.data_type,
    "data-pane": isNumber && typed ? "number" : "score",
  },
  h("header", { class: "lm-row" }, h("b", { id: `${id}-name`, class: "lm-cut" }, oneLine(score.name, 80)),
    h("span", { class: "lm-grow" }), addComment, state),
  h("div", { class: "lm-help lm-muted", id: `${id}-help`, hidden: !score.help }, visible(score.help)),
  answers.length ? h("div", { class: "lm-answers", "data-many": String(answers.some((a) => a.text.length > 12)) }, buttons) : null,
  typed, comment, others);
  element.addEventListener("mousedown", () => act.activate(field, false));
  for (const input of [typed, comment]) input?.addEventListener("blur", () => field.commit());
  typed?.setAttribute("aria-label", oneLine(score.name, 80));
  comment.setAttribute("aria-label", `Comment on ${oneLine(score.name, 80)}`);

  const chosen = () => failed?.value ?? label?.value;
  function draw() {
    for (const button of buttons) button.setAttribute("aria-checked", String(button.dataset.value === String(chosen())));
    const now = failed ? "failed" : waiting ? "saving" : label?.state;
    element.dataset.state = now ?? "";
    const reason = failed?.reason ?? label?.reason;
    fill(state, !now ? null : [
      now === "failed" || now === "rejected" ? icon("error") : now === "saving" ? null : icon("check"),
      h("span", { title: reason ? visible(reason) : null }, STATE_TEXT[now] ?? now),
      (now === "failed" || now === "rejected") && h("button", {
        type: "button", class: "lm-button", onclick: () => act.retry(field) }, "Try again"),
    ]);
    reasonLine.hidden = !(reason && (now === "failed" || now === "rejected" || now === "pending"));
    fill(reasonLine, reason ? visible(reason) : "");
    comment.hidden = !wantsComment && !comment.value;
    addComment.hidden = !comment.hidden;
  }
  const reasonLine = h("div", { class: "lm-reason", hidden: true });
  element.insertBefore(reasonLine, element.children[1]);

  const field = {
    element, score, answers, typed,
    get label() { return label; },
    get failed() { return failed; },
    get optional() { return isText; },
    get answered() { return label !== null; },
    // Show another item's label and what others said of it; drafts are gone.
    show(own, given) {
      [label, failed, waiting, wantsComment] = [own, null, 0, false];
      if (typed) typed.value = own ? valueText(own.value) : "";
      comment.value = own?.comment ?? "";
      fill(others, given.map((score) => givenChip(score)));
      draw();
    },
    // Show how far the label of the same item is; what is being typed stays.
    update(own) {
      if (waiting || failed) return;
      label = own;
      const active = view.root.ownerDocument.activeElement;
      if (typed && typed !== active) typed.value = own ? valueText(own.value) : "";
      if (comment !== active && (own || !wantsComment)) comment.value = own?.comment ?? "";
      draw();
    },
    saving(value) {
      waiting++;
      failed = null;
      label = { ...(label ?? {}), value, reason: null };
      draw();
    },
    saved() { [waiting, failed] = [Math.max(0, waiting - 1), null]; },
    notSaved(value, text, reason) {
      waiting = Math.max(0, waiting - 1);
      label = null;
      failed = { value, comment: text, reason };
      draw();
    },
    setActive(active) {
      element.toggleAttribute("data-active", active);
      element.setAttribute("tabindex", active ? "0" : "-1");
    },
    focus: () => element.focus({ preventScroll: true }),
    choose(value) {
      if (label && sameValue(label.value, value) && !failed) return;
      act.save(field, value, comment.value);
    },
    // A key that chooses an answer, or begins a number.
    type(key) {
      if (answers.length) {
        const answer = answers.find((each) => each.key === key);
        if (!answer) return false;
        field.choose(answer.value);
        return true;
      }
      if (!isNumber || !/[0-9.,-]/.test(key)) return false;
      typed.value = key;
      typed.focus({ preventScroll: true });
      return true;
    },
    comment() {
      wantsComment = true;
      draw();
      comment.focus({ preventScroll: true });
      comment.scrollIntoView({ block: "nearest" });
    },
    // Begin to write, where that is how it is answered.
    write() {
      if (!typed || label || failed) return false;
      typed.focus({ preventScroll: true });
      return true;
    },
    // Save what was typed, if it is new; false when it cannot be.
    commit() {
      let value = chosen();
      if (typed) {
        const text = typed.value.trim();
        if (isNumber && text) {
          const number = Number(text.replace(",", "."));
          const { minimum: low, maximum: high } = score;
          if (!Number.isFinite(number) || (low !== null && number < low) || (high !== null && number > high)) {
            typed.setAttribute("aria-invalid", "true");
            act.say(`${oneLine(score.name, 60)} takes ${rangeText(score)}.`);
            return false;
          }
          value = number;
        } else value = text || value;
        typed.removeAttribute("aria-invalid");
      }
      const text = comment.value.trim();
      if (value === undefined) {
        if (text) act.say(`Answer ${oneLine(score.name, 60)} too: the comment is saved with the answer.`);
        return !text;
      }
      const same = label && sameValue(label.value, value) && (label.comment ?? "") === text;
      if (!same && !failed) act.save(field, value, text);
      return true;
    },
    // One step up or down in the range.
    step(sign) {
      const { minimum: low, maximum: high } = score;
      const width = low !== null && high !== null ? high - low : 10;
      const step = width <= 2 ? 0.1 : 1;
      const from = typed.value.trim() === "" ? (low ?? 0) - (sign > 0 ? step : 0) : Number(typed.value.replace(",", "."));
      if (!Number.isFinite(from)) return;
      const to = Math.round((from + sign * step) * 1e6) / 1e6;
      typed.value = String(Math.max(low ?? -Infinity, Math.min(high ?? Infinity, to)));
    },
  };
  draw();
  return field;
}

// What somebody else, or a judge, said.
function givenChip(score) {
  const by = [score.author, score.source].map((word) => oneLine(word, 30)).find(Boolean) || "scored";
  const both = score.label !== null && score.value !== null;
  return h("span", { class: "lm-chip", title: score.comment ? visible(score.comment) : null },
    h("span", { class: "lm-faint" }, `${by} `),
    h("b", {}, both ? `${scoreText({ ...score, label: null })}, ${scoreText(score)}` : scoreText(score)),
    score.comment && h("span", { class: "lm-muted" }, ` ${oneLine(score.comment, 160)}`));
}
