// A generator on a page of its own: the explorer's latent panel over a model that runs in this browser.
import { el } from "./dom.js";
import { local } from "./latent/local.js";
import { panel } from "./latent/panel.js";
import * as state from "./state.js";

const NAMES = { wasm: "this browser (WebAssembly)", webgpu: "this device's graphics processor (WebGPU)" };
const at = (id) => document.getElementById(id);
const main = at("main");
const say = (words) => (at("said").textContent = words);
const wrong = (error) => (at("wrong").textContent = error ? error.message || String(error) : "");
const context = {
  run: "",
  values: () => state.read().values,
  keep: (values, replace = false) => state.write({ values }, replace),
  say,
  wrong,
};

function introduce({ title, recipe, shape: [, height, width] }) {
  document.title = at("title").textContent = title;
  at("what").textContent =
    `A generative adversarial network (${recipe}, ${width} x ${height} pixels) that makes pictures here, in your browser. ` +
    "Move through its latent space; nothing that you do is sent anywhere.";
}

function sign({ source, licence, files, engines }, engine, away) {
  const bytes = Object.values({ ...files, ...engines[engine] }).reduce((sum, size) => sum + size, 0);
  const same = away <= 2 / 127.5 ? "a first picture was checked against the one that the maker's computer made" : "WARNING: its pictures differ from the maker's";
  at("about").replaceChildren(
    el("p", {}, "Pictures on this page are made by a trained model (IPTC digital source type trainedAlgorithmicMedia) and show nothing that exists. A picture that you save says so itself."),
    el("p", {}, `Model: ${source.tool}, recipe ${source.recipe}, run ${source.run}, step ${source.step}. Licence: ${licence || "not stated by its maker"}.`),
    el("p", {}, `Computed by ${NAMES[engine]}; ${same}. ${(bytes / 1e6).toFixed(1)} MB loaded. With `, el("a", { href: "licences.txt" }, "ONNX Runtime Web"), ".")
  );
}

async function start() {
  document.body.classList.add("started");
  const model = await local(new URL("./", import.meta.url), introduce, (share) => {
    at("step").textContent = share < 1 ? `Loading the generator: ${Math.round(100 * share)} %` : "Starting the generator";
    if (share < 1) at("share").value = share;
    else at("share").removeAttribute("value");
  });
  sign(model.about, model.engine, model.away);
  const place = el("div");
  await panel(place, context, model);
  main.replaceChildren(place);
  say("The generator is ready.");
}

addEventListener("popstate", () => dispatchEvent(new CustomEvent("moved")));
start().catch((error) => {
  at("loading")?.remove();
  wrong(error);
});
