// Chosen runs against each other: one table of scores, one chart of a curve.
import { ask, path } from "../api.js";
import { chart } from "../charts/chart.js";
import { interval, place } from "../charts/score.js";
import { el } from "../dom.js";
import { number, origin, standing } from "../format.js";
import { pretty } from "./card.js";

export function table(runs) {
  const names = [...new Set(runs.flatMap((run) => run.scores.map((score) => score.name)))];
  const cells = (name) => runs.map((run) => run.scores.find((score) => score.name === name));
  return el(
    "div",
    { class: "beside", tabindex: "0", role: "region", "aria-label": "Scores side by side" },
    el(
      "table",
      {},
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "score"), runs.map((run) => el("th", { scope: "col" }, run.name)))),
      el(
        "tbody",
        {},
        plain("recipe", runs.map((run) => run.recipe)),
        plain("data", runs.map(origin)),
        plain("training", runs.map(standing)),
        names.map((name) => line(name, cells(name)))
      )
    )
  );
}

const plain = (name, values) => el("tr", {}, el("th", { scope: "row" }, name), values.map((value) => el("td", {}, value)));

function line(name, scores) {
  const there = scores.filter(Boolean);
  const alike = new Set(there.map((score) => score.protocol)).size < 2; // else they measure different things
  const order = (score) => (score.better === "lower" ? -score.value : score.value);
  const best = alike && there.length > 1 ? Math.max(...there.map(order)) : null;
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, `${there[0].better === "lower" ? "↓" : "↑"} ${name}`, alike ? "" : el("span", { class: "soft" }, " (measured differently: not comparable)")),
    scores.map((score) => (score ? cell(score, best !== null && order(score) === best) : el("td", { class: "soft" }, "–")))
  );
}

function cell(score, best) {
  const ends = [score.trivial !== null ? `trivial ${number(score.trivial)}` : "", score.real !== null ? `real ${number(score.real)}` : ""].filter(Boolean);
  const share = place(score);
  return el(
    "td",
    { title: score.protocol, class: best ? "best" : null },
    el("b", {}, number(score.value)),
    best ? el("span", { class: "soft" }, " best") : "",
    interval(score) ? el("div", { class: "soft" }, interval(score)) : "",
    el("div", { class: "soft" }, ends.join(", ") + (share === null ? "" : `; ${Math.round(100 * share)} % of the way from trivial to real`))
  );
}

// A chart of one curve of all chosen runs; the curve is asked for.
export async function curves(runs, wanted, pick) {
  const stories = await Promise.all(runs.map((run) => ask(path(run.name, "watch"))));
  const names = [...new Set(stories.flatMap((story) => Object.keys(story.lines)))];
  if (!names.length) return el("p", { class: "soft" }, "None of them has curves yet.");
  const name = names.includes(wanted) ? wanted : names.find((one) => one === "guard/distance") || names[0];
  const lines = stories.filter((story) => story.lines[name]).map((story) => ({ name: story.name, steps: story.lines[name][0], values: story.lines[name][1] }));
  const select = el("select", { onchange: () => pick(select.value) }, names.map((one) => el("option", { value: one, selected: one === name }, pretty(one))));
  return el("div", {}, el("label", {}, "Curve ", select), chart({ title: pretty(name), lines, log: name.startsWith("guard/") }).node);
}
