// A generator's networks in a thread of their own, so that the page stays awake while they compute. local.js asks, with
// {id, act, ...}; the answer is {id, ...} or {id, error}. Questions are answered in turn; {cancel: id} takes one back.
let ort = null;
let about = null;
let networks = {};
let turn = Promise.resolve();
const taken = new Set(); // back

onmessage = ({ data }) => {
  if (data.cancel) taken.add(data.cancel);
  else turn = turn.then(() => answer(data));
};

const acts = { open, enter, render };

async function answer({ id, act, ...asked }) {
  try {
    if (taken.delete(id)) return;
    const { transfer = [], ...found } = await acts[act](asked, id);
    postMessage({ id, ...found }, transfer);
  } catch (error) {
    postMessage({ id, error: String(error?.message || error) });
  }
}

// Fetch the networks and what runs them; `base`: the page's folder.
async function open({ base, about: told, engine }, id) {
  about = told;
  const files = { ...about.files, ...about.engines[engine] };
  const total = Object.values(files).reduce((sum, bytes) => sum + bytes, 0);
  let loaded = 0;
  const load = (name) =>
    bytes(new URL(name, base), (more) => {
      loaded += more;
      postMessage({ id, progress: Math.min(1, loaded / total) });
    });
  ort = await import(new URL(`runtime/${engine}.js`, base));
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = 1; // more need headers that simple file servers do not send
  ort.env.wasm.wasmPaths = { mjs: new URL(`runtime/${engine}-glue.js`, base).href };
  ort.env.wasm.wasmBinary = await load(`runtime/${engine}.wasm`); // as bytes: whatever kind of file the server calls it
  networks = {};
  for (const name of Object.keys(about.files)) {
    const key = name.replace(/^.*\/|\.onnx$/g, "");
    networks[key] = await ort.InferenceSession.create(new Uint8Array(await load(name)), { executionProviders: [engine] });
  }
  return {};
}

async function bytes(address, more) {
  const answer = await fetch(address);
  if (!answer.ok || !answer.body) throw new Error(`${address.pathname}: the server said ${answer.status}`);
  const parts = [];
  const reader = answer.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    more(part.value.length);
  }
  return new Blob(parts).arrayBuffer();
}

// Noise [n, ...] and labels [n] -> styles [n, layers, dim].
async function enter({ z, labels }) {
  const n = z.length / about.noise.numbers;
  const feeds = { z: new ort.Tensor("float32", z, [n, about.noise.numbers]) };
  if (labels) feeds.y = new ort.Tensor("int64", BigInt64Array.from(labels, BigInt), [n]);
  const points = await run(networks.enter, feeds);
  return { points, transfer: [points.buffer] };
}

// Points [n, layers, dim] and shares [n, classes] -> RGBA bytes of n pictures; `raw`: the numbers themselves instead.
async function render({ points, shares, n, raw }) {
  const feeds = { points: new ort.Tensor("float32", points, [n, about.layers, about.dim]) };
  if (shares) feeds.shares = new ort.Tensor("float32", shares, [n, about.shares]);
  const x = await run(networks.paint, feeds);
  if (raw) return { x, transfer: [x.buffer] };
  const pixels = rgba(x, n, about.shape);
  return { pixels, transfer: [pixels.buffer] };
}

async function run(network, feeds) {
  const found = await network.run(feeds);
  return found[network.outputNames[0]].getData();
}

// [-1, 1] [n, c, h, w] -> bytes, as `zerosum sample` rounds them: a clamped array takes the nearest, and of two the even one.
function rgba(x, n, [channels, height, width]) {
  const size = height * width;
  const pixels = new Uint8ClampedArray(4 * n * size).fill(255);
  const planes = channels === 3 || channels === 4 ? [...Array(channels).keys()] : [0, 0, 0];
  for (let i = 0; i < n; i++) {
    for (const [to, from] of planes.entries()) {
      const start = (i * channels + from) * size;
      for (let p = 0; p < size; p++) pixels[4 * (i * size + p) + to] = (x[start + p] + 1) * 127.5;
    }
  }
  return pixels;
}
