// The model in the visitor's own browser (see model.js): ONNX networks by onnxruntime-web, in a worker.
import { marked } from "./png.js";
import { Random } from "./random.js";

const NEAR = 2 / 127.5; // of numbers in [-1, 1]: two of 256 levels

// The model of a page's folder. `told` is called with what is known of it (about) as soon as it is, `progress` with the share
// that is loaded, from 0 to 1.
// Where there is WebGPU and the page has a runtime for it, that is tried first, and left again where its numbers are not right.
export async function local(base, told = () => {}, progress = () => {}) {
  if (typeof WebAssembly !== "object") {
    throw new Error("This browser has WebAssembly turned off, or is too old for it. The generator runs in the browser and needs it.");
  }
  const about = await json(new URL("model/about.json", base));
  about.mean = Float32Array.from(about.mean);
  told(about);
  const reasons = [];
  for (const engine of await engines(about)) {
    const model = over(ask(new Worker(new URL("./worker.js", import.meta.url), { type: "module" })), base, about, engine);
    try {
      await model.open(progress);
      const away = await model.away();
      if (away <= NEAR || engine === "wasm") return { ...model, engine, away };
      reasons.push(`${engine}: differs by ${away}`);
    } catch (error) {
      reasons.push(`${engine}: ${error.message}`);
    }
    model.close();
  }
  throw new Error(`The generator cannot be loaded (${reasons.join("; ")}). Try again, or another browser.`);
}

async function json(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address.pathname}: the server said ${answer.status}`);
  return answer.json();
}

// Ways to compute that page and browser both have, the best first. An adapter that is software is slower than WebAssembly.
async function engines(about) {
  const adapter = about.engines.webgpu && navigator.gpu ? await navigator.gpu.requestAdapter().catch(() => null) : null;
  return adapter && !adapter.info?.isFallbackAdapter ? ["webgpu", "wasm"] : ["wasm"];
}

// Questions to a worker, as promises.
function ask(worker) {
  const open = new Map();
  let count = 0;
  worker.onmessage = ({ data: { id, progress, error, ...found } }) => {
    const one = open.get(id);
    if (!one) return;
    if (progress !== undefined) return one.progress?.(progress);
    open.delete(id);
    if (error === undefined) one.resolve(found);
    else one.reject(new Error(error));
  };
  worker.onerror = (event) => {
    event.preventDefault();
    for (const one of open.values()) one.reject(new Error(event.message || "its worker cannot be started"));
    open.clear();
  };
  const question = (act, asked, { signal, progress } = {}) =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const id = ++count;
      open.set(id, { resolve, reject, progress });
      signal?.addEventListener("abort", () => {
        if (!open.delete(id)) return;
        worker.postMessage({ cancel: id });
        reject(signal.reason);
      });
      worker.postMessage({ id, act, ...asked });
    });
  return { question, close: () => worker.terminate() };
}

function over({ question, close }, base, about, engine) {
  const [, height, width] = about.shape;
  const size = 4 * height * width;

  // The noise of a seed, as torch draws it.
  function noise(seed) {
    const random = new Random(seed);
    if (about.noise.law === "normal") return random.normal(about.noise.numbers);
    return random.uniform(about.noise.numbers).map((value) => value * 2 - 1);
  }

  async function enter(seeds, labels = null) {
    const z = new Float32Array(seeds.length * about.noise.numbers);
    [...seeds].forEach((seed, i) => z.set(noise(seed), i * about.noise.numbers));
    if (!about.styled) return z;
    return (await question("enter", { z, labels: about.classes.length ? [...labels] : null })).points;
  }

  const pixels = async (points, shares, n, signal) => (await question("render", { points, shares, n }, { signal })).pixels;

  return {
    about,
    enter,
    async render(points, shares, n, signal) {
      const all = await pixels(points, shares, n, signal);
      return Array.from({ length: n }, (_, i) => new ImageData(all.slice(i * size, (i + 1) * size), width, height));
    },
    async directions() {
      const found = await json(new URL("model/directions.json", base));
      return found.map((one) => ({ ...one, vector: Float32Array.from(one.vector) }));
    },
    async save(point, shares, made) {
      return marked(await pixels(point, shares, 1), width, height, about.mark, made);
    },
    open: (progress) => question("open", { base: base.href, about, engine }, { progress }),
    close,
    // How far some numbers of one picture are from torch's.
    async away() {
      const { seed, label, stride, x } = about.probe;
      const shares = about.shares ? Float32Array.from({ length: about.shares }, (_, i) => Number(i === label)) : null;
      const found = await question("render", { points: await enter([seed], [label]), shares, n: 1, raw: true });
      return Math.max(...x.map((value, i) => Math.abs(value - found.x[i * stride])));
    },
  };
}
