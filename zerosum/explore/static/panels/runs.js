// All runs of the folder, side by side.
import { ask } from "../api.js";
import { el } from "../dom.js";

export async function show(root) {
  const runs = await ask("/api/runs");
  root.append(el("ul", {}, runs.map(({ name }) => el("li", {}, el("a", { href: `#/${encodeURIComponent(name)}` }, name)))));
}
