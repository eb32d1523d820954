// One column of a table, real against generated: steps for numbers, bars and points for words. Shares are in [0, 1].
import { el } from "../dom.js";
import { svg } from "./svg.js";

const WIDE = 300;
const SPIKE = 0.5; // share of one bin from which heights are square roots, or nothing else could be seen
const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;

const short = (value, time) =>
  time ? new Date(value / 1e6).toISOString().slice(0, 10) : Number(value).toLocaleString("en", { maximumSignificantDigits: 4 });

function steps({ edges, real, made, time }) {
  const tall = 110, most = Math.max(...real, ...made, 1e-9), bent = most > SPIKE;
  const height = (share) => (tall - 6) * (bent ? Math.sqrt(share / most) : share / most);
  const x = (i) => ((edges[i] - edges[0]) / (edges[edges.length - 1] - edges[0] || 1)) * WIDE;
  const bars = real.map((share, i) =>
    svg("rect", { class: "real", x: x(i), y: tall - height(share), width: Math.max(0, x(i + 1) - x(i)), height: height(share) })
  );
  const line = made.map((share, i) => `${i ? "L" : "M"}${x(i)} ${tall - height(share)}L${x(i + 1)} ${tall - height(share)}`).join("");
  const ends = [0, edges.length - 1].map((i) =>
    svg("text", { x: i ? WIDE : 0, y: tall + 15, "text-anchor": i ? "end" : "start" }, short(edges[i], time))
  );
  const note = bent ? [svg("text", { x: WIDE / 2, y: tall + 15, "text-anchor": "middle" }, "heights: square roots")] : [];
  return svg("svg", { viewBox: `0 0 ${WIDE} ${tall + 20}`, "aria-hidden": "true" }, ...bars, svg("path", { class: "made", d: line }), ...ends, ...note);
}

function words({ words, real, made }) {
  const row = 20, names = 120, most = Math.max(...real, ...made, 1e-9);
  const x = (share) => names + ((WIDE - names - 8) * share) / most;
  const parts = words.flatMap((word, i) => [
    svg("text", { x: names - 6, y: row * i + 14, "text-anchor": "end" }, word.length > 18 ? `${word.slice(0, 17)}…` : word),
    svg("rect", { class: "real", x: names, y: row * i + 3, width: x(real[i]) - names, height: row - 6 }),
    svg("circle", { class: "made-point", cx: x(made[i]), cy: row * i + row / 2, r: 4.5 }),
  ]);
  return svg("svg", { viewBox: `0 0 ${WIDE} ${row * words.length + 4}`, "aria-hidden": "true" }, ...parts);
}

// The drawing, and the same numbers as a table for those who do not see it, or want to read them.
export function marginal(one) {
  const places = one.words || one.real.map((_, i) => `${short(one.edges[i], one.time)} to ${short(one.edges[i + 1], one.time)}`);
  const rows = places.map((place, i) => el("tr", {}, el("th", { scope: "row" }, place), el("td", {}, percent(one.real[i])), el("td", {}, percent(one.made[i]))));
  const gone = Math.max(one.real_missing || 0, one.made_missing || 0);
  return el(
    "figure", { class: "marginal" }, el("figcaption", {}, one.name),
    one.words ? words(one) : steps(one),
    gone ? el("p", { class: "soft" }, `missing: real ${percent(one.real_missing)}, generated ${percent(one.made_missing)}`) : null,
    el("details", {}, el("summary", {}, "numbers"),
      el("table", {}, el("thead", {}, el("tr", {}, ["", "real", "generated"].map((name) => el("th", { scope: "col" }, name)))), el("tbody", {}, rows)))
  );
}
