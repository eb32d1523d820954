// The model behind the explorer's server (see model.js): points go as little-endian float32, pictures come as RGBA bytes.
import { ask, path } from "../api.js";
import { joined } from "./model.js";

const BYTES = "application/octet-stream";

export async function remote(run) {
  const at = (part) => path(run, "latent", part);
  const about = await ask(at("about"));
  about.mean = Float32Array.from(about.mean);
  const [, height, width] = about.shape;
  const body = (points, shares) => (shares ? joined([points, shares]) : points);
  return {
    about,
    async enter(seeds, labels = null) {
      return new Float32Array(await ask(at("enter"), { json: { seeds: [...seeds], labels: labels && [...labels] } }));
    },
    async render(points, shares, n, signal) {
      const pixels = await ask(`${at("render")}?n=${n}`, { body: body(points, shares), type: BYTES, signal });
      const size = 4 * height * width;
      return Array.from({ length: n }, (_, i) => new ImageData(new Uint8ClampedArray(pixels, i * size, size), width, height));
    },
    async directions() {
      const found = await ask(at("directions"));
      return found.map((one) => ({ ...one, vector: Float32Array.from(one.vector) }));
    },
    async taught(name, seeds, labels, tags) {
      const found = await ask(at("taught"), { json: { name, seeds, labels, tags } });
      return { ...found, vector: Float32Array.from(found.vector) };
    },
    save(point, shares, made) {
      const query = new URLSearchParams({ made: JSON.stringify(made) });
      return ask(`${at("picture")}?${query}`, { body: body(point, shares), type: BYTES });
    },
  };
}
