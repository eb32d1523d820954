// Two pictures one over the other, and a handle between them: a range input, so that keys move it as a pointer does.
import { el } from "../dom.js";

export function compare({ before, after, names }) {
  const under = el("img", { src: after, alt: names[1], class: "compare-under", draggable: false });
  const over = el("img", { src: before, alt: names[0], class: "compare-over", draggable: false });
  const line = el("span", { class: "compare-line", "aria-hidden": "true" });
  const handle = el("input", {
    type: "range", min: "0", max: "100", step: "1", value: "50", class: "compare-handle",
    "aria-label": `How much of ${names[0]} is shown over ${names[1]}`,
  });
  const box = el("div", { class: "compare" }, under, over, line, handle);

  function place() {
    const share = Number(handle.value);
    over.style.clipPath = `inset(0 ${100 - share}% 0 0)`;
    line.style.left = `${share}%`;
    handle.setAttribute("aria-valuetext", `${share} % ${names[0]}, ${100 - share} % ${names[1]}`);
  }

  handle.addEventListener("input", place);
  box.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "mouse" || event.buttons !== 1) return; // a touch drags the range itself
    const { left, width } = box.getBoundingClientRect();
    handle.value = String(Math.round((100 * (event.clientX - left)) / width));
    place();
  });
  // small pictures are enlarged without smoothing, so that their pixels can be seen
  under.addEventListener("load", () => {
    const wide = under.naturalWidth;
    box.classList.toggle("small", wide < 300);
    whole.style.maxWidth = `${wide * Math.max(1, Math.floor(400 / wide))}px`;
  });
  place();
  const whole = el(
    "figure", { class: "compared" }, box,
    el("figcaption", {}, el("span", {}, `← ${names[0]}`), el("span", {}, `${names[1]} →`))
  );
  return whole;
}
