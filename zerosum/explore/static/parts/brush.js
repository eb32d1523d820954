// Paint a mask over a picture: brush and rubber, undo, clear, invert; and a box by numbers for those who have no pointer.
import { el } from "../dom.js";
import { add, harden, paint } from "./strokes.js";

const MOST = 4_000_000; // pixels of the mask; of larger pictures it is coarser

export function brush({ url, width, height, say }) {
  const zoom = Math.min(1, Math.sqrt(MOST / (width * height)));
  const size = { width: Math.max(1, Math.round(width * zoom)), height: Math.max(1, Math.round(height * zoom)) };
  const shown = el("img", { src: url, alt: "The picture to repair", draggable: false });
  const canvas = el("canvas", { ...size, class: "mask", role: "img", "aria-label": "The mask: nothing is painted" });
  const box = el("div", { class: `painted${width < 300 ? " small" : ""}` }, shown, canvas);
  box.style.maxWidth = `${Math.min(900, width * Math.max(1, Math.floor(400 / width)))}px`;
  const acts = [];
  let stroke = null;

  const range = el("input", { type: "range", min: "1", max: "40", value: "12" }); // percent of the shorter side
  const rubber = el("button", { type: "button", "aria-pressed": "false" }, "Erase");
  const undo = el("button", { type: "button" }, "Undo");
  const share = el("output", { class: "soft" }, "nothing is painted");
  const numbers = ["Left", "Top", "Width", "Height"].map((name, i) =>
    el("label", {}, `${name} `, el("input", { type: "number", min: i > 1 ? "1" : "0", value: String(Math.round([width, height, width, height][i] / (i > 1 ? 4 : 3))) }))
  );

  function told() {
    const [, painted] = harden(canvas);
    const words = painted ? `${(100 * painted).toFixed(painted < 0.1 ? 1 : 0)} % is to be made anew` : "nothing is painted";
    share.textContent = words;
    canvas.setAttribute("aria-label", `The mask: ${words}`);
    undo.disabled = !acts.length;
    return words;
  }

  function act(one) {
    acts.push(one);
    add(canvas, one);
    say(told());
  }

  const at = (event) => {
    const place = canvas.getBoundingClientRect();
    return [((event.clientX - place.left) * size.width) / place.width, ((event.clientY - place.top) * size.height) / place.height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    const thick = Math.max(1, (Number(range.value) / 100) * Math.min(size.width, size.height));
    stroke = { kind: "stroke", points: [at(event)], size: thick, erase: rubber.getAttribute("aria-pressed") === "true" };
    add(canvas, stroke);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!stroke) return;
    const moved = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    for (const one of moved.length ? moved : [event]) stroke.points.push(at(one));
    add(canvas, { ...stroke, points: stroke.points.slice(-moved.length - 2) });
  });
  const lift = () => {
    if (!stroke) return;
    acts.push(stroke);
    stroke = null;
    paint(canvas, acts); // once more from the list, so that undoing gives exactly what was
    say(told());
  };
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, lift);

  rubber.addEventListener("click", () => {
    const now = rubber.getAttribute("aria-pressed") !== "true";
    rubber.setAttribute("aria-pressed", String(now));
  });
  undo.addEventListener("click", () => {
    acts.pop();
    paint(canvas, acts);
    say(`undone: ${told()}`);
  });
  const number = (i) => Number(numbers[i].querySelector("input").value) * zoom;
  const node = el(
    "div", { class: "brush" }, box,
    el("div", { class: "row" }, el("label", {}, "Brush ", range), rubber, undo,
      el("button", { type: "button", onclick: () => act({ kind: "invert" }) }, "Invert"),
      el("button", { type: "button", onclick: () => act({ kind: "clear" }) }, "Clear")),
    el("p", {}, share),
    el("details", {}, el("summary", {}, "A box by numbers (pixels)"),
      el("div", { class: "row" }, numbers,
        el("button", { type: "button", onclick: () => act({ kind: "box", x: number(0), y: number(1), width: number(2), height: number(3) }) }, "Add the box")))
  );
  told();

  return {
    node,
    // A PNG of the mask, white where pixels are to be made; null where nothing is painted.
    async mask() {
      const [hard, painted] = harden(canvas);
      return painted ? new Promise((ready) => hard.toBlob(ready, "image/png")) : null;
    },
  };
}
