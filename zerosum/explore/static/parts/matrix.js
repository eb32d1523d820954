// How columns hang together, as a picture of squares: red rises together, blue falls as the other rises.
import { el } from "../dom.js";
import { svg } from "./svg.js";

const SIDE = 16, ROOM = 96;

// Diverging, and as far from the page in the dark as in the light: the sign by hue, the size by how much it covers.
function square(value, x, y, title) {
  const share = Math.min(1, Math.abs(value));
  return svg("rect", { class: value < 0 ? "falls" : "rises", x, y, width: SIDE - 1, height: SIDE - 1, "fill-opacity": share.toFixed(3) }, svg("title", {}, title));
}

export function matrix({ title, names, values }) {
  const size = names.length * SIDE;
  const cells = values.flatMap((row, i) =>
    row.map((value, j) => square(value, ROOM + j * SIDE, ROOM + i * SIDE, `${names[i]}, ${names[j]}: ${value.toFixed(2)}`))
  );
  const short = (name) => (name.length > 14 ? `${name.slice(0, 13)}…` : name);
  const labels = names.flatMap((name, i) => [
    svg("text", { x: ROOM - 4, y: ROOM + i * SIDE + 12, "text-anchor": "end" }, short(name)),
    svg("text", { transform: `translate(${ROOM + i * SIDE + 12} ${ROOM - 4}) rotate(-60)` }, short(name)),
  ]);
  const frame = svg("rect", { class: "frame", x: ROOM - 0.5, y: ROOM - 0.5, width: size, height: size });
  return el("figure", { class: "matrix" }, el("figcaption", {}, title),
    svg("svg", { viewBox: `0 0 ${ROOM + size + 40} ${ROOM + size + 2}`, role: "img", "aria-label": `${title}: ${spoken(names, values)}` }, frame, ...labels, ...cells));
}

// The three strongest pairs, for those who do not see the picture.
function spoken(names, values) {
  const pairs = names.flatMap((name, i) => names.slice(i + 1).map((other, k) => [Math.abs(values[i][i + 1 + k]), name, other, values[i][i + 1 + k]]));
  const strongest = pairs.sort((a, b) => b[0] - a[0]).slice(0, 3);
  return strongest.map(([, name, other, value]) => `${name} with ${other} ${value.toFixed(2)}`).join("; ");
}
