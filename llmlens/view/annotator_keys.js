// The keys of the panel, as data: the help sheet is made of them too.

const onOneOf = (event, ...names) => names.includes(event.target.tagName);

function annotatorKeys(panel) {
  const { reader } = panel;
  const inGroup = (group, keys, does, run, more) => ({ group, keys, does, run, ...more });
  const answer = (keys, does, run, more) => inGroup("Answer", keys, does, run, more);
  const item = (keys, does, run, more) => inGroup("Item", keys, does, run, more);
  const read = (keys, does, run, more) => inGroup("Read", keys, does, run, more);
  const inside = (pane) => ({ in: pane, typing: true });
  return [
    answer([..."1234567890.,-"], "Choose an answer, or type a number", (event) => panel.type(event.key), { shown: ["1–9", "0"] }),
    answer(["ArrowUp"], "Previous score", () => panel.move(-1)),
    answer(["ArrowDown"], "Next score", () => panel.move(1)),
    answer(["ArrowUp", "ArrowDown"], "While a number is typed: a step more, less", (event) => panel.stepNumber(event), inside("number")),
    answer(["Enter"], "Save, and go to the next score; in a text: write", (event) => panel.enter(event), { typing: true }),
    answer(["c"], "Comment on the answer", () => panel.comment()),
    answer(["Escape"], "Leave a text field; it is saved", () => panel.leave(), { typing: true }),
    item(["Ctrl+Enter"], "Complete, and go on", (event) => event.repeat || panel.complete(), { typing: true }),
    item(["ArrowLeft"], "Previous item, done ones too", () => panel.step(-1)),
    item(["ArrowRight"], "Next item, done ones too", () => panel.step(1)),
    item(["s"], "Skip, with a reason: then Enter, or Esc to keep it", () => panel.openSkip()),
    item(["n"], "Next item that is left", () => panel.goOn()),
    item(["u"], "Undo: an answer, a skip, a completion", () => panel.undo("undo")),
    item(["U"], "Redo what was undone last", () => panel.undo("redo")),
    read([" ", "PageDown"], "Scroll down", (event) => (onOneOf(event, "BUTTON") ? false : reader.scroll(event.shiftKey ? -1 : 1))),
    read(["PageUp"], "Scroll up", () => reader.scroll(-1)),
    read(["["], "Previous part", () => reader.part(-1)),
    read(["]"], "Next part: documents, tool calls", () => reader.part(1)),
  ];
}
