// Curves over steps as SVG: lines, intervals, marks where something happened, and a cursor that others move along.
import { el, svg } from "../dom.js";
import { number } from "../format.js";
import { decades, extent, linear, logarithmic, short, ticks } from "./scale.js";

const [WIDTH, HEIGHT] = [360, 190];
const [LEFT, RIGHT, TOP, BOTTOM] = [46, 8, 8, 22];
export const COLOURS = 8;

// lines: [{name, steps, values, low, high}]; marks: [{step, words}]; x: [from, to] in steps; log: whether distances span decades.
export function chart({ title, lines, marks = [], x, log = false, pick = null, note = "" }) {
  const steps = lines.flatMap((line) => line.steps);
  const [from, to] = x || [Math.min(...steps), Math.max(...steps)];
  const values = lines.flatMap((line) => [...line.values, ...(line.low || []), ...(line.high || [])]).filter(Number.isFinite);
  const logged = log && values.length > 1 && Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) > 20;
  const range = logged ? [Math.min(...values) / 1.2, Math.max(...values) * 1.2] : extent(values, values.length > 200 ? 0.002 : 0);
  const across = linear([from, to > from ? to : from + 1], [LEFT, WIDTH - RIGHT]);
  const up = (logged ? logarithmic : linear)(range, [HEIGHT - BOTTOM, TOP]);
  const inside = (value) => Math.max(TOP - 1, Math.min(HEIGHT - BOTTOM + 1, up(value)));

  const axes = svg("g", { class: "axes", "aria-hidden": "true" });
  for (const value of logged ? decades(range) : ticks(range, 4)) {
    axes.append(svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: up(value), y2: up(value) }));
    axes.append(svg("text", { x: LEFT - 6, y: up(value) + 4, "text-anchor": "end" }, short(value)));
  }
  for (const value of ticks([from, to], 5)) {
    const [at, end] = [across(value), across(value) > WIDTH - 30];
    axes.append(svg("text", { x: at, y: HEIGHT - 6, "text-anchor": end ? "end" : "middle" }, short(value)));
  }
  for (const mark of marks) {
    if (mark.step < from || mark.step > to) continue;
    axes.append(svg("line", { class: "mark", x1: across(mark.step), x2: across(mark.step), y1: TOP, y2: HEIGHT - BOTTOM }, svg("title", {}, mark.words)));
  }

  const paths = svg("g", {});
  lines.forEach((line, i) => {
    const colour = `c${i % COLOURS}`;
    (line.low || []).forEach((low, j) => {
      if (Number.isFinite(low) && Number.isFinite(line.high[j]))
        paths.append(svg("line", { class: `between ${colour}`, x1: across(line.steps[j]), x2: across(line.steps[j]), y1: inside(low), y2: inside(line.high[j]) }));
    });
    let pen = "M";
    let d = "";
    line.steps.forEach((step, j) => {
      if (!Number.isFinite(line.values[j])) return void (pen = "M");
      d += `${pen}${across(step).toFixed(1)} ${inside(line.values[j]).toFixed(1)}`;
      pen = "L";
      if (line.steps.length < 12) paths.append(svg("circle", { class: colour, cx: across(step), cy: inside(line.values[j]), r: 3 }));
    });
    paths.append(svg("path", { class: colour, d }));
  });

  const cursor = svg("line", { class: "cursor", y1: TOP, y2: HEIGHT - BOTTOM, x1: -9, x2: -9 });
  const words = `${title}, steps ${short(from)} to ${short(to)}. ${lines.map((line) => `${line.name}: last ${number(line.values.at(-1))}`).join("; ")}`;
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words }, axes, paths, cursor);
  if (pick) {
    const at = (event) => {
      const box = picture.getBoundingClientRect();
      const place = ((event.clientX - box.left) / box.width) * WIDTH;
      return from + ((place - LEFT) / (WIDTH - RIGHT - LEFT)) * (to - from);
    };
    picture.classList.add("picks");
    picture.addEventListener("click", (event) => pick(at(event)));
  }
  const told = lines.map((line, i) => {
    const value = el("b", {}, number(line.values.at(-1)));
    return { value, node: el("span", { class: `key c${i % COLOURS}` }, line.name, " ", value) };
  });
  const node = el("figure", { class: "chart" }, el("figcaption", {}, el("span", { class: "title" }, title), note && el("span", { class: "soft" }, note), told.map((one) => one.node)), picture);
  return {
    node,
    // Move the cursor to a step (null: away), and tell the values there.
    point(step) {
      const shown = step !== null && step >= from && step <= to;
      cursor.setAttribute("x1", shown ? across(step) : -9);
      cursor.setAttribute("x2", shown ? across(step) : -9);
      lines.forEach((line, i) => (told[i].value.textContent = number(step === null ? line.values.at(-1) : before(line, step))));
    },
  };
}

// The line's value at a step: of the last point that is not later.
function before(line, step) {
  let found = null;
  for (let i = 0; i < line.steps.length && line.steps[i] <= step; i++) found = line.values[i];
  return found ?? line.values[0];
}

// A curve in one small picture, without axes.
export function spark(lines, words) {
  const [width, height] = [220, 44];
  const steps = lines.flatMap((line) => line.steps);
  const across = linear([Math.min(...steps), Math.max(...steps)], [2, width - 2]);
  const up = linear(extent(lines.flatMap((line) => line.values), 0.01), [height - 2, 2]);
  const place = (value) => Math.max(1, Math.min(height - 1, up(value)));
  return svg(
    "svg",
    { class: "spark", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": words, preserveAspectRatio: "none" },
    lines.map((line, i) => svg("path", { class: `c${i}`, d: line.steps.map((step, j) => [step, line.values[j]]).filter(([, value]) => Number.isFinite(value)).map(([step, value], j) => `${j ? "L" : "M"}${across(step).toFixed(1)} ${place(value).toFixed(1)}`).join("") }))
  );
}
