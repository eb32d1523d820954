// The frame: which panel of which run the address asks for.
import { ask, path } from "./api.js";
import { el } from "./dom.js";
import * as state from "./state.js";

const main = document.getElementById("main");
const nav = document.getElementById("panels");
let leave = () => {}; // what the panel on show wants done when it goes
let shown = ""; // run and panel on show

export function say(words) {
  document.getElementById("said").textContent = words;
}

export function wrong(error) {
  document.getElementById("wrong").textContent = error ? error.message || String(error) : "";
}

async function show() {
  const now = state.read();
  const panel = now.panel || (now.run ? "watch" : "runs");
  wrong(null);
  leave();
  leave = () => {};
  shown = `${now.run}/${panel}`;
  const mine = shown;
  main.replaceChildren();
  const panels = now.run ? await ask(path(now.run, "panels")) : [];
  if (mine !== shown) return;
  nav.replaceChildren(
    ...panels.map(({ name, title }) =>
      el("a", { href: name === "runs" ? "#/" : `#/${encodeURIComponent(now.run)}/${name}`, "aria-current": name === panel ? "page" : null }, title)
    )
  );
  const module = await import(`./panels/${panel.replace(/[^a-z]/g, "")}.js`);
  if (mine !== shown) return;
  const context = {
    run: now.run,
    values: () => state.read().values,
    keep: (values, replace = false) => state.write({ run: now.run, panel, values }, replace),
    say,
    wrong,
  };
  leave = (await module.show(main, context)) || (() => {});
}

const safely = () => show().catch(wrong);
addEventListener("hashchange", safely);
addEventListener("popstate", () => {
  const now = state.read();
  const panel = now.panel || (now.run ? "watch" : "runs");
  if (`${now.run}/${panel}` === shown) dispatchEvent(new CustomEvent("moved")); // undo within a panel: it reads values() anew
});
safely();
