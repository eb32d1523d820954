// Teach a direction: mark the pictures of the page that have something; a boundary between them and the others is a slider.
import { el } from "../dom.js";

export function tagging({ seeds, mark, teach, wrong }) {
  const yes = new Set();
  const name = el("input", { type: "text", maxlength: "40", placeholder: "hat", "aria-label": "What the marked pictures have" });
  const count = el("span", { class: "soft", role: "status" });
  const go = el("button", { type: "button", class: "main" }, "Make a slider of it");
  let on = false;
  const words = () => (count.textContent = `${yes.size} marked of ${seeds().length}`);
  go.addEventListener("click", async () => {
    try {
      wrong(null);
      await teach({ name: (name.value || "tagged").replace(/[~;,]/g, " "), seeds: seeds(), yes: [...yes] });
      stop();
    } catch (error) {
      wrong(error);
    }
  });
  const form = el("div", { class: "row", hidden: true }, el("label", {}, "They have ", name), count, go);
  const start = el("button", { type: "button", "aria-pressed": "false", onclick: () => (on ? stop() : begin()) }, "Teach a direction");
  function begin() {
    on = true;
    yes.clear();
    form.hidden = false;
    start.setAttribute("aria-pressed", "true");
    words();
    mark(yes);
    name.focus();
  }
  function stop() {
    on = false;
    form.hidden = true;
    start.setAttribute("aria-pressed", "false");
    mark(null);
  }
  return {
    button: start,
    form,
    on: () => on,
    marked: () => yes,
    toggle(seed) {
      if (!yes.delete(seed)) yes.add(seed);
      words();
      mark(yes);
    },
  };
}
