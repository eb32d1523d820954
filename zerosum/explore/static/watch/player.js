// A slider over the moments of a training: dragged, moved by arrow keys, or played.
import { el } from "../dom.js";
import { count } from "../format.js";

const EACH = 450; // milliseconds that a moment is shown while playing

export function player({ moved, hint }) {
  let steps = [];
  let follows = true; // the newest, whatever comes
  let timer = 0;
  const slider = el("input", { type: "range", min: 0, max: 0, step: 1, value: 0, "aria-label": "Step of training", oninput: () => go(Number(slider.value)) });
  const button = el("button", { type: "button", onclick: () => (timer ? pause() : play()) }, "▶ Play");
  const told = el("output", {});
  const node = el("div", { class: "player" }, button, slider, told, hint && el("span", { class: "soft hint" }, hint));

  function place(i) {
    slider.value = i;
    follows = i === steps.length - 1;
    told.textContent = steps.length ? `step ${count(steps[i])}${follows ? ", the newest" : ""}` : "";
    slider.setAttribute("aria-valuetext", told.textContent);
    moved(steps[i], follows);
  }

  function go(i) {
    pause();
    if (steps.length) place(Math.min(steps.length - 1, Math.max(0, i)));
  }

  function play() {
    if (steps.length < 2) return;
    button.textContent = "❚❚ Pause";
    if (Number(slider.value) >= steps.length - 1) place(0);
    timer = setInterval(() => {
      const next = Number(slider.value) + 1;
      if (next >= steps.length) return pause();
      place(next);
    }, EACH);
  }

  function pause() {
    clearInterval(timer);
    timer = 0;
    button.textContent = "▶ Play";
  }

  // The moments there are by now. Who looks at the newest goes on looking at the newest.
  function take(now, wanted = null) {
    const at = steps[Number(slider.value)];
    const fresh = JSON.stringify(now) !== JSON.stringify(steps);
    if (!fresh && wanted === null) return;
    const before = { at, follows };
    steps = now;
    slider.max = Math.max(0, steps.length - 1);
    slider.disabled = button.disabled = steps.length < 2;
    if (!steps.length) return;
    const step = wanted ?? (before.follows ? steps.at(-1) : before.at);
    place(nearest(step));
  }

  function nearest(step) {
    let best = 0;
    steps.forEach((one, i) => Math.abs(one - step) < Math.abs(steps[best] - step) && (best = i));
    return best;
  }

  return {
    node,
    take,
    to: (step) => steps.length && go(nearest(step)),
    by: (n) => go(Number(slider.value) + n),
    toggle: () => (timer ? pause() : play()),
    stop: pause,
  };
}
