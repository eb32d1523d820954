// Canvases that show what a model renders: small pictures many at once, and one that follows a hand.
import { el } from "../dom.js";
import { joined, slice } from "./model.js";

export function canvas(about, name) {
  const [, height, width] = about.shape;
  const small = Math.max(height, width) < 200 ? " coarse" : "";
  return el("canvas", { width, height, role: "img", "aria-label": name, class: `latent-picture${small}` });
}

export const put = (place, pixels) => place.getContext("2d").putImageData(pixels, 0, 0);

// Draw targets [{point, shares}] into canvases, a few at a time; ends early where `signal` fires.
export async function draw(model, targets, places, signal) {
  const many = slice(model.about);
  for (let at = 0; at < targets.length; at += many) {
    signal?.throwIfAborted();
    const part = targets.slice(at, at + many);
    const mixed = model.about.shares ? joined(part.map((one) => one.shares)) : null;
    const found = await model.render(joined(part.map((one) => one.point)), mixed, part.length, signal);
    found.forEach((pixels, i) => put(places[at + i], pixels));
  }
}

// One canvas that shows the newest wish: while one is rendered, those that come meanwhile replace each other. What is being
// rendered is let finish: were it given up for the next one, a hand that moves on would see nothing until it stops.
// `key` names what is asked for: what is asked for twice is rendered once.
export function newest(model, place, wrong) {
  let busy = false;
  let next = null;
  let last = null;
  return async (find, key) => {
    if (key === last) return;
    last = key;
    next = find;
    if (busy) return;
    busy = true;
    try {
      while (next) {
        const now = next;
        next = null;
        try {
          const found = await now();
          const [pixels] = await model.render(found.point, found.shares, 1);
          put(place, pixels);
          place.dataset.drawn = String(1 + Number(place.dataset.drawn || 0));
        } catch (error) {
          if (next) continue; // nobody wishes for that any more
          last = null; // the same may be asked for again
          wrong(error);
        }
      }
    } finally {
      busy = false;
    }
  };
}

// Newest sheets of pictures: a new one ends what is left of the one before. `later`: milliseconds to wait for a newer one.
export function sheets(model, wrong) {
  let current = new AbortController();
  let timer = 0;
  const end = () => {
    clearTimeout(timer);
    current.abort();
  };
  return {
    end,
    start(find, places, later = 0) {
      end();
      current = new AbortController();
      const { signal } = current;
      const failed = (error) => signal.aborted || wrong(error);
      timer = setTimeout(() => Promise.resolve(find()).then((targets) => draw(model, targets, places, signal)).catch(failed), later);
    },
  };
}
