// The curves of a training, all on one axis of steps, with what the guard did marked in each.
import { chart } from "../charts/chart.js";
import { el } from "../dom.js";

const GROUPS = [
  { title: "What D says (mean logit)", log: false, has: (name) => /logit/.test(name) && !name.startsWith("guard/") },
  { title: "Diversity of samples", note: "1: as varied as real items", log: false, has: (name) => name === "guard/variety" || name === "guard/coverage" },
  { title: "Samples' distance to real items", note: "1: as real", log: true, has: (name) => name === "guard/distance" || name === "guard/fine distance" },
];

const words = (name) => (name.endsWith("/logit_real") ? "D(real)" : name.endsWith("/logit_fake") ? "D(fake)" : name.replace(/^[^/]*\//, ""));

function groups(names) {
  const left = names.filter((name) => !GROUPS.some((group) => group.has(name)));
  const players = [...new Set(left.map((name) => name.split("/")[0]))];
  const losses = players.map((player) => ({ title: `What ${player} minimises`, log: false, has: (name) => left.includes(name) && name.split("/")[0] === player }));
  return [...GROUPS.slice(0, 1), ...losses, ...GROUPS.slice(1)];
}

// One chart a group; all share the axis, the marks and the cursor.
export function curves(story, pick) {
  const names = Object.keys(story.lines);
  const marks = story.acts.map((act) => ({ step: act.step, words: act.note }));
  const scored = Object.entries(story.scored);
  const last = Math.max(story.step, ...names.map((name) => story.lines[name][0].at(-1) ?? 0), ...marks.map((mark) => mark.step));
  const x = [0, Math.max(1, last)];
  const charts = [];
  for (const group of groups(names)) {
    const lines = names.filter(group.has).map((name) => ({ name: words(name), steps: story.lines[name][0], values: story.lines[name][1] }));
    if (lines.length) charts.push(chart({ title: group.title, note: group.note, log: group.log, lines, marks, x, pick }));
  }
  for (const [name, points] of scored) {
    if (points.length < 2) continue;
    const column = (end) => points.map((one) => one[end]);
    charts.push(chart({ title: `${points[0].better === "lower" ? "↓" : "↑"} ${name}`, lines: [{ name: "score", steps: column("step"), values: column("value"), low: column("low"), high: column("high") }], marks, x, pick }));
  }
  return { node: el("div", { class: "charts" }, charts.map((one) => one.node)), point: (step) => charts.forEach((one) => one.point(step)) };
}
