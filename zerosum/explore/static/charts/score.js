// A score between what a trivial generator and real data reach, with its interval.
import { el, svg } from "../dom.js";
import { number } from "../format.js";

// Where a value lies on the way from the floor to the ceiling, in [0, 1]; null where there is no such way.
export function place(score, value = score.value) {
  const { real, trivial, better } = score;
  if (real === null || trivial === null || real === undefined || trivial === undefined || real === trivial) return null;
  if (trivial > real !== (better === "lower")) return null;
  return (value - trivial) / (real - trivial);
}

const within = (share) => 100 * Math.min(1, Math.max(0, share));

export function interval({ low, high }) {
  return low === null || high === null || low === undefined || high === undefined ? "" : `${number(low)} to ${number(high)}`;
}

export function words(score) {
  const between = interval(score);
  const ends = [score.trivial !== null ? `trivial ${number(score.trivial)}` : "", score.real !== null ? `real data ${number(score.real)}` : ""];
  return `${score.name} ${number(score.value)}${between ? ` (95 % interval ${between})` : ""}, ${score.better} is better; ${ends.filter(Boolean).join(", ")}`;
}

// The bar: floor at the left, ceiling at the right.
export function bar(score) {
  const at = place(score);
  if (at === null) return null;
  const ends = score.low !== null && score.high !== null ? [place(score, score.low), place(score, score.high)].map(within).sort((a, b) => a - b) : null;
  const fair = at < 0 ? "bar poor" : "bar";
  return svg(
    "svg",
    { class: fair, viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { class: "track", x: 0, y: 2, width: 100, height: 4 }),
    svg("rect", { class: "reach", x: 0, y: 2, width: within(at), height: 4 }),
    ends && svg("rect", { class: "between", x: ends[0], y: 0, width: Math.max(0.6, ends[1] - ends[0]), height: 8 })
  );
}

export function row(score) {
  return el(
    "li",
    { class: "score", title: score.protocol, "aria-label": words(score) },
    el("span", { class: "name" }, `${score.better === "lower" ? "↓" : "↑"} ${score.name}`),
    el("span", { class: "value" }, el("b", {}, number(score.value)), el("span", { class: "soft" }, interval(score) ? ` ${interval(score)}` : "")),
    bar(score)
  );
}
