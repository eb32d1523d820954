// Ask again and again while the page is looked at; call back only where the answer has changed. Returns what stops it.
import { ask } from "./api.js";

export function poll(path, changed, { every = () => 2000, failed = () => {} } = {}) {
  let timer = 0;
  let stopped = false;
  let last = "";
  let trouble = 0;
  const control = new AbortController();

  async function once() {
    clearTimeout(timer);
    if (stopped || document.hidden) return;
    try {
      const { value, tag } = await ask(path, { signal: control.signal, tagged: true });
      if (stopped) return;
      if (trouble) failed(null);
      trouble = 0;
      const fresh = !tag || tag !== last;
      last = tag;
      changed(value, fresh);
    } catch (error) {
      if (stopped) return;
      trouble += 1;
      failed(error);
    }
    timer = setTimeout(once, Math.min(30000, every() * 2 ** Math.min(trouble, 4)));
  }

  const seen = () => (document.hidden ? clearTimeout(timer) : once());
  document.addEventListener("visibilitychange", seen);
  const first = once();
  return {
    first,
    stop() {
      stopped = true;
      clearTimeout(timer);
      control.abort();
      document.removeEventListener("visibilitychange", seen);
    },
  };
}
