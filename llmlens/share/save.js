// Presses the shortcut that saves the open notebook, in its page: a kernel has no other way to ask for it.
export default {
  render() {
    const accel = /mac|iphone|ipad/i.test(navigator.platform) ? { metaKey: true } : { ctrlKey: true };
    const key = { key: "s", code: "KeyS", keyCode: 83, bubbles: true, cancelable: true, ...accel };
    (document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent("keydown", key));
  },
};
