// A panel's own style sheet, fetched once: a panel brings its looks along as it brings its script. Resolves when it counts.
import { el } from "../dom.js";

const loaded = new Map();

export function sheet(href) {
  if (!loaded.has(href)) {
    loaded.set(
      href,
      new Promise((ready) => document.head.append(el("link", { rel: "stylesheet", href, onload: ready, onerror: ready })))
    );
  }
  return loaded.get(href);
}
