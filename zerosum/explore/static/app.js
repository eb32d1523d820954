// The frame: which panel of which run the address asks for.
import { ask, path } from "./api.js";
import { el } from "./dom.js";
import * as state from "./state.js";

const main = document.getElementById("main");
const nav = document.getElementById("panels");
const trail = document.getElementById("trail");
const ALWAYS = ["runs", "watch"]; // every run has them: they are shown before it is known what else it has
let leave = () => {}; // what the panel on show wants done when it goes
let shown = null; // run and panel on show
let folder = null;

export function say(words) {
  document.getElementById("said").textContent = words;
}

export function wrong(error) {
  document.getElementById("wrong").textContent = error && error.name !== "AbortError" ? error.message || String(error) : "";
}

const link = (run, name) => (name === "runs" ? "#/" : `#/${encodeURIComponent(run)}/${name}`);

function wanted() {
  const now = state.read();
  const run = now.run || folder.run || "";
  return { run, panel: run ? now.panel || "watch" : "runs", first: shown === null };
}

function crumbs(run) {
  const here = run && run !== folder.run ? [el("a", { href: "#/" }, folder.name), el("span", { "aria-hidden": "true" }, "/"), el("b", {}, run)] : [el("b", {}, run || folder.name)];
  trail.replaceChildren(...here);
}

// Whether a panel is on show and the address still leads to it: an address that has just changed is told of a moment later,
// and must not be written over meanwhile.
function here(mine) {
  const { run, panel } = wanted();
  return mine === shown && mine === `${run}/${panel}`;
}

async function offered(run, panel, mine) {
  const tabs = (panels, after) =>
    nav.replaceChildren(
      ...panels
        .filter(({ name }) => name !== "runs" || !folder.run)
        .map(({ name, title }) => el("a", { href: link(run, name), "aria-current": name === panel ? "page" : null }, name === "runs" ? "All runs" : title)),
      ...after
    );
  tabs([{ name: "runs" }, { name: "watch", title: "Watch" }], [el("span", { class: "soft" }, "…")]); // until the generator is loaded
  const { panels, why } = await ask(path(run, "panels"));
  if (mine !== shown) return [];
  tabs(panels, why ? [el("details", { class: "why" }, el("summary", {}, "Why no more?"), el("p", {}, why))] : []);
  return panels.map(({ name }) => name);
}

async function show() {
  folder = folder || (await ask("/api/folder"));
  const { run, panel, first } = wanted();
  wrong(null);
  leave();
  leave = () => {};
  shown = `${run}/${panel}`;
  const mine = shown;
  main.replaceChildren();
  crumbs(run);
  document.title = [run, run ? panel[0].toUpperCase() + panel.slice(1) : folder.name, "zerosum"].filter(Boolean).join(" · ");
  if (!first) main.focus({ preventScroll: false });
  const panels = run ? offered(run, panel, mine) : Promise.resolve(nav.replaceChildren());
  if (!ALWAYS.includes(panel)) {
    main.replaceChildren(el("p", { class: "waits" }, "Loading the generator…"));
    const known = await panels;
    if (mine !== shown) return;
    main.replaceChildren();
    if (!known.includes(panel)) throw new Error(`${run} has no panel ${panel}: choose one of those above`);
  } else panels.catch((error) => mine === shown && wrong(error));
  const module = await import(`./panels/${panel.replace(/[^a-z]/g, "")}.js`);
  if (mine !== shown) return;
  const context = {
    run,
    values: () => state.read().values,
    keep: (values, replace = false) => here(mine) && state.write({ run, panel: run ? panel : "", values }, replace),
    say,
    wrong: (error) => mine === shown && wrong(error),
  };
  const gone = (await module.show(main, context)) || (() => {});
  if (mine === shown) leave = gone;
  else gone(); // left while it was coming
}

async function safely() {
  const before = shown;
  try {
    await show();
  } catch (error) {
    if (shown === before || !main.childElementCount) main.replaceChildren(el("p", { class: "waits" }, el("a", { href: "#/" }, "Back to the runs")));
    wrong(error);
  }
}

// Undo within a panel leaves it standing: it reads values() anew. Anything else shows another one.
function changed() {
  const { run, panel } = wanted();
  if (`${run}/${panel}` === shown) dispatchEvent(new CustomEvent("moved"));
  else safely();
}

addEventListener("hashchange", () => folder && changed());
safely();
