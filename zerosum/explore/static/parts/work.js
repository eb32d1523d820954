// Work that goes on at the server: its progress, and a button that gives it up.
import { ask } from "../api.js";
import { el } from "../dom.js";

const pause = (milliseconds) => new Promise((ready) => setTimeout(ready, milliseconds));

// Follow the work at `where` until it ends: true where it was done, false where it was cancelled. Throws what went wrong.
// `seen(work)`: told of every answer; `parts`: what its progress counts.
export async function follow(where, root, { say, left = () => false, seen = () => {}, parts = "parts" }) {
  const bar = el("progress", { max: 1, value: 0, "aria-label": "Progress" });
  const words = el("span", { class: "soft" });
  const stop = el("button", { type: "button", onclick: () => ask(`${where}/cancel`, { body: "" }).catch(() => {}) }, "Cancel");
  root.replaceChildren(bar, words, stop);
  let wait = 60;
  try {
    while (!left()) {
      const work = await ask(where);
      bar.value = work.of ? work.done / work.of : 0;
      words.textContent = work.of > 1 ? `${work.done} of ${work.of} ${parts}` : "";
      seen(work);
      if (work.state === "done") return true;
      if (work.state === "cancelled") {
        say("cancelled");
        return false;
      }
      if (work.state === "failed") throw new Error(work.error);
      await pause(wait);
      wait = Math.min(500, wait * 1.3);
    }
    ask(`${where}/cancel`, { body: "" }).catch(() => {}); // nobody waits for it any more
    return false;
  } finally {
    root.replaceChildren();
  }
}
