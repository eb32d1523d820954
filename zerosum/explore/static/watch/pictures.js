// The sample pictures of a run, fetched when they are looked at and kept while they are few.
import { ask, path } from "../api.js";
import { el } from "../dom.js";
import { count } from "../format.js";

const KEPT = 32;

export function pictures(run) {
  const kept = new Map(); // mark -> object URL
  let wanted = "";
  const image = el("img", { alt: "", class: "samples", hidden: true });
  const why = el("p", { class: "soft", hidden: true });
  const node = el("div", { class: "sheet" }, image, why);

  async function fetched(step, mark) {
    const key = `${step}-${mark}`;
    if (!kept.has(key)) kept.set(key, URL.createObjectURL(await ask(`${path(run, "watch", "picture", step)}?v=${encodeURIComponent(mark)}`)));
    const url = kept.get(key);
    kept.delete(key);
    kept.set(key, url); // the last asked for is the last to go
    while (kept.size > KEPT) {
      const [old, gone] = kept.entries().next().value;
      kept.delete(old);
      URL.revokeObjectURL(gone);
    }
    return url;
  }

  // Show the picture of a step; the old one stays until the new one is decoded.
  async function show(step, mark) {
    wanted = `${step}-${mark}`;
    const mine = wanted;
    try {
      const url = await fetched(step, mark);
      const next = new Image();
      next.src = url;
      await next.decode();
      if (mine !== wanted) return;
      const times = Math.max(1, Math.min(4, Math.floor(640 / next.naturalWidth)));
      image.src = url;
      image.style.width = `${times * next.naturalWidth}px`;
      image.classList.toggle("enlarged", times > 1);
      image.alt = `Samples at step ${count(step)}`;
      [image.hidden, why.hidden] = [false, true];
    } catch (error) {
      if (mine !== wanted || error.name === "AbortError") return;
      why.textContent = error.name === "EncodingError" ? "This picture is damaged and cannot be shown." : error.message;
      [image.hidden, why.hidden] = [true, false];
    }
  }

  return { node, show, end: () => kept.forEach((url) => URL.revokeObjectURL(url)) };
}
