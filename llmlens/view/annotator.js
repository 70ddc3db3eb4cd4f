// The panel: what there is to read on the left, what is asked on the right. The open item is synced; answers go to the
// kernel as they are given, and are called saved when it says that they are on the disk.

const KEPT_ITEMS = 8;
const LOOK_AGAIN = 2000;
const MOST_LATER = 20;
const ASK_AGAIN = 5000;

export default defineView("annotator", (view) => {
  const { model } = view;
  let list = null;
  let states = [];
  let place = -1;
  let item = null;
  let turn = 0;
  let going = false;
  const later = [];
  let form = null;
  let sums = {};
  let rows = [];
  let trouble = null;
  const cache = new Map();
  const open = new Set();
  const reader = readerPane(view);
  const formHolder = h("div", { class: "lm-form-holder" });
  const banner = h("div", { class: "lm-note", role: "status", hidden: true });
  const finished = h("div", { class: "lm-finished", role: "status", hidden: true });

  // Whoever is faster than the kernel answers the item that comes, not the one that goes.
  const whenThere = (act) => (...values) => {
    if (!going) return act(...values);
    if (later.length < MOST_LATER) later.push(() => act(...values));
    return true;
  };
  function free(from) {
    going = false;
    if (place === from) later.length = 0;
    while (!going && later.length) later.shift()();
  }

  const panel = {
    reader,
    form: () => form,
    type: whenThere((key) => (form && !frozen() ? form.active?.type(key) ?? false : false)),
    move: whenThere((by) => form?.move(by)),
    comment: () => (form?.active && !frozen() ? form.active.comment() : false),
    openSkip: () => (form && item && !frozen() ? form.openSkip() : false),
    step: whenThere((by) => goTo(place + by)),
    goOn: () => goOn(),
    complete: whenThere(() => complete()),
    undo: (kind) => undo(kind),
    leave() {
      if (form.skipping) return form.closeSkip();
      if (!isTyping(view.root.ownerDocument.activeElement)) return false;
      form.focus();
      return true;
    },
    stepNumber(event) {
      if (!form?.active?.typed) return false;
      form.active.step(event.key === "ArrowUp" ? 1 : -1);
      return true;
    },
    enter: whenThere((event) => {
      if (form?.skipping) return onOneOf(event, "BUTTON") ? false : form.skip();
      if (!form || frozen() || (event.shiftKey && onOneOf(event, "TEXTAREA"))) return false;
      if (onOneOf(event, "BUTTON")) return false;
      if (!form.active) return complete();
      if (!isTyping(event.target) && form.active.write()) return true;
      if (form.active.commit()) form.move(1);
      return true;
    }),
  };
  const keys = keyboard(view, annotatorKeys(panel));
  const progress = progressBar(view, {
    help: keys.button, go: { step: panel.step, to: (i) => goTo(i) }, nextRejected: () => retry(null),
  });
  put(view.body, [progress.element, banner, h("div", { class: "lm-desk" }, reader.element, formHolder)]);
  const frozen = () => view.isStatic || view.root.hasAttribute("data-offline");

  // What cannot be saved must not look as if it could.
  function freeze(words) {
    view.root.toggleAttribute("data-offline", true);
    banner.hidden = false;
    fill(banner, words);
    form?.freeze();
  }
  const failed = (error, again) => {
    if (error.isStatic) freeze("No kernel is connected, so nothing can be saved. All that is called saved is safe: run the cell again to go on.");
    else view.fail(error, again);
  };

  const sync = syncOpenItem(view, 250, () => (item && !frozen() ? [item.trace_id, item.span_id ?? null] : null), (traceId, spanId) => {
    if (!traceId || !item || (traceId === item.trace_id && spanId === item.span_id)) return;
    view.request("place", { trace_id: traceId, span_id: spanId }).then((at) => goTo(at), failed);
  });

  // Saving ---------------------------------------------------------------------------------------------------------

  const ids = () => ({ trace_id: item.trace_id, span_id: item.span_id });
  function track(promise) {
    open.add(promise);
    promise.finally(() => open.delete(promise)).catch(() => {});
    return promise;
  }

  async function save(field, value, comment) {
    const mine = item;
    field.saving(value);
    form.say("");
    const started = performance.now();
    try {
      const status = await track(view.request("label", { ...ids(), name: field.score.name, value, comment: comment || null }));
      mine.status = status;
      if (mine !== item) return;
      field.saved();
      view.root.dataset.saveMs = (performance.now() - started).toFixed(0);
      apply(status);
    } catch (error) {
      if (mine !== item) return;
      field.notSaved(value, comment, error.message);
      if (error.isStatic) failed(error);
    }
  }

  function retry(field) {
    if (!item || frozen()) return;
    if (field?.failed) save(field, field.failed.value, field.failed.comment);
    else track(view.request("retry", { ...ids(), score_id: field?.label?.score_id ?? null })).then(apply, failed);
  }

  // Show how far the open item and everybody is.
  function apply(status) {
    if (!item) return;
    item.status = status;
    states[place] = stateOf(status);
    ({ people: rows, deliveries: sums, trouble } = status);
    form.update(status);
    drawProgress();
    lookAgain();
  }
  function drawProgress() {
    progress.update({ states, place, rows, sums, trouble, list });
    const left = states.filter((state) => state === "l").length;
    const skipped = states.filter((state) => state === "s").length;
    finished.hidden = left > 0 || states.length === 0;
    fill(finished, h("b", {}, "Nothing is left."), skipped > 0
      ? [` ${many(skipped, "item")} skipped. `, h("button", { type: "button", class: "lm-button", onclick: () => goTo(states.indexOf("s")) }, "Look at them again")]
      : " Everything is done.");
  }

  // Labels that are on their way arrive without anybody doing anything here.
  const lookAgain = debounce(async () => {
    const waiting = (sums.pending ?? 0) + (sums.sent ?? 0) || trouble || (item?.status.mark?.kind === "done" && item.status.completed === false);
    if (!list?.to || !item || frozen() || !waiting) return;
    const mine = item;
    try {
      const status = await view.request("status", ids(), { quiet: true });
      if (mine === item && !open.size) apply(status);
      else lookAgain();
    } catch { /* the next thing that is done says what is wrong */ }
  }, LOOK_AGAIN, view.signal);

  // Going from item to item ----------------------------------------------------------------------------------------

  function load(at, quiet = false) {
    if (!cache.has(at)) {
      const promise = view.request("item", { place: at }, { quiet });
      cache.set(at, promise);
      promise.catch(() => { if (cache.get(at) === promise) cache.delete(at); });
      if (cache.size > KEPT_ITEMS) cache.delete([...cache.keys()].find((key) => key !== place && key !== at));
    }
    return cache.get(at);
  }

  // An item that was fetched ahead and never came is asked for once more: somebody waits for it now.
  async function there(at) {
    const ahead = load(at);
    let timer = 0;
    const again = new Promise((resolve, reject) => {
      timer = setTimeout(() => view.request("item", { place: at }).then(resolve, reject), ASK_AGAIN);
    });
    try {
      return await Promise.race([ahead, again]);
    } finally {
      clearTimeout(timer);
      again.catch(() => {});
    }
  }

  // Nothing that was typed or chosen is left behind unsaved.
  async function settle() {
    if (!form || !item || frozen()) return true;
    if (!form.commit()) return false;
    await Promise.allSettled([...open]);
    const unsaved = form.failed();
    if (unsaved) form.say(`${oneLine(unsaved.score.name, 60)} is not saved. Try again, or choose another answer.`);
    return !unsaved;
  }

  async function goTo(at, words = "") {
    if (at < 0 || at >= states.length || going || at === place) return;
    going = true;
    const from = place;
    const started = performance.now();
    try {
      if (await settle()) await show(at, started, words);
    } finally {
      free(from);
    }
  }

  async function show(at, started, words = "") {
    const mine = ++turn;
    const inside = view.root.contains(view.root.ownerDocument.activeElement);
    try {
      const next = await there(at);
      if (mine !== turn) return;
      [item, place] = [next, at];
      reader.show(item);
      form.show(item);
      if (frozen()) form.freeze();
      form.say(words);
      states[place] = stateOf(item.status);
      if (inside) form.focus();
      drawProgress();
      Object.assign(view.root.dataset, { trace: item.trace_id, span: item.span_id ?? "", openMs: (performance.now() - started).toFixed(0) });
      sync();
      prefetch();
      lookAgain();
    } catch (error) {
      if (mine !== turn) return;
      if (view.isStatic) form?.say("That item was not saved with this copy.");
      else failed(error, () => show(at, performance.now(), words));
    }
    view.ready();
  }

  const prefetch = () => {
    if (view.isStatic) return;
    for (const at of [nextLeft(), place + 1, place - 1])
      if (at >= 0 && at < states.length) load(at, true).catch(() => {});
  };

  // The place of the next item that is left, after the open one and then from the top; -1 when there is none.
  function nextLeft() {
    const after = states.indexOf("l", place + 1);
    return after >= 0 ? after : states.findIndex((state, i) => state === "l" && i !== place);
  }

  function goOn(words = "") {
    const at = nextLeft();
    if (at >= 0) return goTo(at, words);
    form?.say(words || "Nothing else is left.");
    return undefined;
  }

  async function mark(kind, values, words) {
    if (!item || going || frozen()) return;
    going = true;
    const from = place;
    const started = performance.now();
    try {
      if (!(await settle()) || (kind === "done" && !form.complete())) return;
      const mine = item;
      const status = await track(view.request(kind, { ...ids(), ...values }));
      mine.status = status;
      apply(status);
      const at = nextLeft();
      if (at >= 0) await show(at, started, words);
      else form.say(words);
    } catch (error) {
      failed(error, () => mark(kind, values, words));
    } finally {
      free(from);
    }
  }
  const complete = () => mark("done", {}, "Done. Press u to take it back.");

  async function undo(kind) {
    if (!item || going || frozen()) return;
    going = true;
    const from = place;
    try {
      if (!(await settle())) return;
      const found = await track(view.request(kind));
      if (found.place === null) {
        form.say(`Nothing to ${kind}.`);
        return;
      }
      const what = { score: `the answer to ${oneLine(found.name, 60)}`, done: "the completion", skip: "the skip" }[found.kind];
      const words = `${kind === "undo" ? "Took back" : "Did again"} ${what}.`;
      if (found.place !== place) {
        (await load(found.place)).status = found.status;
        await show(found.place, performance.now(), words);
      }
      apply(found.status);
      const at = form.fields.findIndex((field) => field.score.name === found.name);
      form.activate(at < 0 ? 0 : at);
      form.say(words);
    } catch (error) {
      failed(error, () => undo(kind));
    } finally {
      free(from);
    }
  }

  // Beginning ------------------------------------------------------------------------------------------------------

  async function start() {
    try {
      list = await view.request("worklist");
    } catch (error) {
      failed(error, start);
      view.ready();
      return;
    }
    cache.clear();
    [item, place, states, rows, sums, trouble] = [null, -1, list.states, list.people, list.deliveries, list.trouble];
    banner.hidden = !list.note;
    fill(banner, list.note);
    form = annotationForm(view, list.scores, {
      save, retry, complete, undo: () => undo("undo"), skip: (reason) => mark("skip", { reason }, "Skipped. Press u to take it back."),
    });
    form.element.insertBefore(finished, form.element.lastElementChild);
    fill(formHolder, form.element);
    if (view.isStatic) freeze("Read-only copy: answers cannot be given here.");
    drawProgress();
    if (states.length) await show(list.place, performance.now());
    else {
      reader.clear(h("b", {}, `No ${list.per_item} to label`), "Nothing is selected in the view or the traces this one shows.");
      form.freeze();
    }
    view.ready();
  }

  view.watch("revision", start);
  start();
});
