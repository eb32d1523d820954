// All runs of the folder, side by side; those in training move by themselves.
import { ask } from "../api.js";
import { el } from "../dom.js";
import { poll } from "../poll.js";
import { card } from "../runs/card.js";
import { curves, table } from "../runs/compare.js";

const ORDERS = { newest: "newest first", name: "name", recipe: "recipe", data: "data", state: "training first" };
const STANDING = ["training", "starting", "interrupted", "stopped", "finished", "empty", "damaged"];

export async function show(root, context) {
  const folder = await ask("/api/folder");
  const cards = new Map();
  let runs = [];
  let left = 0;

  const filter = el("input", { type: "search", placeholder: "name, recipe or data", oninput: () => keep({ find: filter.value }) });
  const sort = el("select", { onchange: () => keep({ sort: sort.value }) });
  const list = el("div", { class: "cards" });
  const side = el("section", { class: "side", "aria-label": "Comparison" });
  const heading = el("h2", {}, `Runs in ${folder.name}`);
  const tools = el("div", { class: "tools" }, el("label", {}, "Sort by ", sort), el("label", {}, "Find ", filter));
  root.append(heading, tools, side, list);

  const chosen = () => {
    try {
      const names = JSON.parse(context.values().compare || "[]");
      return Array.isArray(names) ? names.filter((name) => runs.some((run) => run.name === name && !run.error)) : [];
    } catch {
      return [];
    }
  };
  const keep = (values) => {
    context.keep({ ...context.values(), ...values }, true);
    draw();
  };
  const choose = (name, yes) => {
    const names = new Set(chosen());
    yes ? names.add(name) : names.delete(name);
    keep({ compare: names.size ? JSON.stringify([...names]) : "" });
    context.say(names.size < 2 ? "Choose another run to compare" : `${names.size} runs compared`);
  };

  function order() {
    const by = context.values().sort || "newest";
    const score = (run) => run.scores.find((one) => `score:${one.name}` === by);
    const worth = (run) => (score(run) ? (score(run).better === "lower" ? -1 : 1) * score(run).value : -Infinity);
    const compare = {
      newest: (a, b) => b.changed - a.changed,
      name: (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }),
      recipe: (a, b) => (a.recipe || "").localeCompare(b.recipe || ""),
      data: (a, b) => (a.data || "").localeCompare(b.data || ""),
      state: (a, b) => STANDING.indexOf(a.state) - STANDING.indexOf(b.state),
    }[by];
    const words = (context.values().find || "").toLowerCase();
    const found = runs.filter((run) => [run.name, run.recipe, run.data].some((text) => (text || "").toLowerCase().includes(words)));
    return found.sort(compare || ((a, b) => worth(b) - worth(a) || 0));
  }

  function orders() {
    const scores = [...new Set(runs.flatMap((run) => run.scores.map((one) => one.name)))].sort();
    const known = [...Object.entries(ORDERS), ...scores.map((name) => [`score:${name}`, `best ${name}`])];
    const now = context.values().sort || "newest";
    if (sort.options.length === known.length && sort.value === now) return;
    sort.replaceChildren(...known.map(([value, words]) => el("option", { value, selected: value === now }, words)));
  }

  function draw() {
    orders();
    if (document.activeElement !== filter) filter.value = context.values().find || "";
    const names = chosen();
    const shown = order();
    for (const run of runs) {
      if (cards.has(run.name)) cards.get(run.name).update(run);
      else cards.set(run.name, card(run, { chosen: names.includes(run.name), choose }));
      cards.get(run.name).check(names.includes(run.name));
    }
    const nodes = shown.length ? shown.map((run) => cards.get(run.name).node) : [nothing()];
    const same = shown.length > 0 && nodes.length === list.children.length && nodes.every((node, i) => node === list.children[i]);
    if (!same) list.replaceChildren(...nodes); // moved only where the order changed: focus stays
    tools.hidden = runs.length < 2;
    heading.textContent = runs.length ? `${runs.length} run${runs.length === 1 ? "" : "s"} in ${folder.name}${left ? `, ${left} older ones not shown` : ""}` : `Runs in ${folder.name}`;
    aside(names);
  }

  function nothing() {
    if (runs.length) return el("p", { class: "empty" }, "No run is called so. Clear the search to see all.");
    return el(
      "div",
      { class: "empty" },
      el("p", {}, `There is no run in ${folder.name} yet.`),
      el("p", {}, "Train one, and it appears here by itself:"),
      el("pre", {}, el("code", {}, `cd ${folder.name}\nzerosum train digits --recipe cgan --minutes 1 --out first`))
    );
  }

  let compared = "";
  function aside(names) {
    const ones = names.map((name) => runs.find((run) => run.name === name));
    const mark = JSON.stringify([ones.map((run) => [run.name, run.step, run.scores, run.state]), context.values().curve]);
    if (mark === compared) return;
    compared = mark;
    if (ones.length < 2) return void side.replaceChildren(...(ones.length ? [el("p", { class: "soft" }, `${ones[0].name} is chosen: choose another run to compare it with.`)] : []));
    const plot = el("div", {});
    side.replaceChildren(el("h3", {}, "Side by side"), el("button", { type: "button", onclick: () => keep({ compare: "" }) }, "Compare none"), table(ones), plot);
    curves(ones, context.values().curve, (curve) => keep({ curve })).then((node) => mark === compared && plot.replaceChildren(node), context.wrong);
  }

  const polling = poll(
    "/api/runs",
    (answer, fresh) => {
      if (fresh) ({ runs, left } = answer);
      for (const name of [...cards.keys()]) if (!runs.some((run) => run.name === name)) cards.delete(name);
      draw();
    },
    { every: () => (runs.some((run) => run.state === "training" || run.state === "starting") ? 1500 : 4000), failed: context.wrong }
  );
  const moved = () => draw();
  addEventListener("moved", moved);
  await polling.first;
  return () => {
    polling.stop();
    removeEventListener("moved", moved);
  };
}
