// Sliders of a run's directions: one row each, a value in sigmas beside it, the first few at once and the rest on demand.
import { el } from "../dom.js";

const FEW = 8;

// `steps`: a value for each direction. `moving(steps)` is called while a slider moves, `settled(steps)` when it is let go.
export function sliders({ directions, farthest, steps, moving, settled }) {
  const values = directions.map((_, i) => steps[i] || 0);
  const rows = directions.map(({ name, method }, i) => {
    const shown = el("output", {});
    const range = el("input", { type: "range", min: String(-farthest), max: String(farthest), step: "0.1", "aria-label": name });
    const words = () => {
      range.value = String(values[i]);
      shown.textContent = `${values[i] > 0 ? "+" : ""}${values[i].toFixed(1)} σ`;
      range.setAttribute("aria-valuetext", `${values[i].toFixed(1)} sigma`);
    };
    const take = () => {
      values[i] = Number(range.value);
      words();
    };
    range.addEventListener("input", () => (take(), moving([...values])));
    range.addEventListener("change", () => (take(), settled([...values])));
    range.addEventListener("dblclick", () => ((range.value = "0"), take(), settled([...values])));
    words();
    return { row: el("label", { class: "edit-slider", title: `found by ${method}` }, el("span", {}, name), range, shown), words };
  });
  const first = rows.slice(0, FEW).map(({ row }) => row);
  const rest = rows.slice(FEW).map(({ row }) => row);
  return {
    node: el("div", {}, first, rest.length ? el("details", {}, el("summary", {}, `${rest.length} more`), rest) : ""),
    set(steps) {
      values.forEach((_, i) => (values[i] = steps[i] || 0));
      for (const { words } of rows) words();
    },
    values: () => [...values],
  };
}
