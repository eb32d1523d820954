// The latent panel: it takes a model (model.js), wherever that runs.
import { el } from "../dom.js";
import { shares } from "./algebra.js";
import { joined } from "./model.js";

export async function panel(root, context, model) {
  const { about } = model;
  const seeds = Array.from({ length: 8 }, (_, i) => i);
  const labels = about.classes.length ? seeds.map((seed) => seed % about.classes.length) : null;
  const points = await model.enter(seeds, labels);
  const mixed = about.shares ? joined(labels.map((label) => shares(about.shares, label))) : null;
  for (const [i, pixels] of (await model.render(points, mixed, seeds.length)).entries()) {
    const canvas = el("canvas", { width: pixels.width, height: pixels.height, role: "img", "aria-label": `seed ${seeds[i]}` });
    canvas.getContext("2d").putImageData(pixels, 0, 0);
    root.append(canvas);
  }
  return () => {};
}
