// Everything that steers the one picture: where between seeds, directions, truncation, mixing, class.
import { el } from "../dom.js";
import { FARTHEST, shown } from "./wish.js";

// A labelled slider. `moving(value)` while it is dragged, `settled(value)` when it is let go.
export function slider({ name, min, max, step, words, moving, settled }) {
  const told = el("output", {});
  const range = el("input", { type: "range", min: String(min), max: String(max), step: String(step), "aria-label": name });
  const say = () => {
    told.textContent = words(Number(range.value));
    range.setAttribute("aria-valuetext", told.textContent);
  };
  range.addEventListener("input", () => (say(), moving(Number(range.value))));
  range.addEventListener("change", () => (say(), settled(Number(range.value))));
  return {
    node: el("label", { class: "latent-slider" }, el("span", {}, name), range, told),
    set(value) {
      range.value = String(value);
      say();
    },
  };
}

const percent = (value) => `${Math.round(100 * value)} %`;

// `change(part, final, hand)`: parts of the wish are now other ones; `final` where a hand let go, `hand` what it held.
export function controls(about, change) {
  const both = (part, hand) => ({ moving: (value) => change(part(value), false, hand), settled: (value) => change(part(value), true, hand) });
  let wish = null;
  const u = slider({ name: "Along", min: 0, max: 1, step: 0.01, words: percent, ...both((value) => ({ at: [value, wish.at[1]] }), "u") });
  const v = slider({ name: "Down", min: 0, max: 1, step: 0.01, words: percent, ...both((value) => ({ at: [wish.at[0], value] }), "v") });
  const psi = slider({ name: "Truncation ψ", min: 0, max: 1.5, step: 0.05, words: (value) => value.toFixed(2), ...both((value) => ({ psi: value }), "psi") });

  const mix_seed = el("input", { type: "number", min: "0", step: "1", "aria-label": "Seed whose fine styles are taken", onchange: () => change({ mixed: mix_seed.value === "" ? null : [Math.max(0, Math.floor(Number(mix_seed.value))), (wish.mixed || [0, Math.ceil(about.layers / 2)])[1]] }, true) });
  const crossover = slider({ name: "from layer", min: 0, max: about.layers, step: 1, words: (value) => (value >= about.layers ? "none" : String(value)), ...both((value) => ({ mixed: [wish.mixed ? wish.mixed[0] : shown(wish)[0] + 1, value] }), "mixed") });
  const to = el("select", { "aria-label": "Class to change into", onchange: () => change({ morph: to.value === "" ? null : [Number(to.value), wish.morph ? wish.morph[1] : 1] }, true) }, el("option", { value: "" }, "its own"), about.classes.map((name, i) => el("option", { value: String(i) }, name)));
  const morph = slider({ name: "how far", min: 0, max: 1, step: 0.01, words: percent, ...both((value) => ({ morph: wish.morph ? [wish.morph[0], value] : null }), "morph") });

  const between = el("fieldset", { class: "latent-between" }, el("legend", {}, "Between the chosen"), u.node, v.node);
  const directions = el("div", {});
  const node = el(
    "div", { class: "latent-controls" }, between, directions,
    about.truncates ? el("fieldset", {}, el("legend", {}, "Nearer to the mean"), psi.node) : null,
    about.layers > 1 ? el("fieldset", {}, el("legend", {}, "Style mixing"), el("label", { class: "latent-slider" }, el("span", {}, "Fine styles of seed"), mix_seed, el("span", {})), crossover.node) : null,
    about.classes.length > 1 ? el("fieldset", {}, el("legend", {}, "Another class"), el("label", { class: "latent-slider" }, el("span", {}, "Towards"), to, el("span", {})), morph.node) : null
  );

  // Directions of one method at a time: those that a row of buttons chooses.
  let rows = [];
  let method = null;
  function steer(found, why = "No directions were found in this generator.") {
    const methods = [...new Set(found.map((one) => one.method))];
    if (!methods.includes(method)) method = methods[0];
    rows = found.map((one, i) => ({
      ...one,
      slider: slider({
        name: one.name, min: -FARTHEST, max: FARTHEST, step: 0.1, words: (value) => `${value > 0 ? "+" : ""}${value.toFixed(1)} σ`,
        ...both((value) => {
          const steps = found.map((_, j) => wish.steps[j] || 0);
          steps[i] = value;
          return { steps };
        }, `step ${i}`),
      }),
    }));
    const lists = methods.map((name) => el("div", { class: "latent-directions", hidden: name !== method, role: "group", "aria-label": `Directions: ${name}` }, rows.filter((one) => one.method === name).map((one) => one.slider.node)));
    const tabs = methods.map((name) =>
      el("button", { type: "button", "aria-pressed": String(name === method), onclick: () => {
        method = name;
        lists.forEach((one, i) => (one.hidden = methods[i] !== name));
        tabs.forEach((one, i) => one.setAttribute("aria-pressed", String(methods[i] === name)));
      } }, name)
    );
    const reset = el("button", { type: "button", onclick: () => change({ steps: [] }, true) }, "Set all to 0");
    directions.replaceChildren(
      found.length
        ? el("fieldset", {}, el("legend", {}, "Directions"), el("div", { class: "row" }, methods.length > 1 ? tabs : el("span", { class: "soft" }, `found by ${method}`), reset), lists)
        : el("p", { class: "soft" }, why)
    );
    if (wish) set(wish);
  }

  function set(now) {
    wish = now;
    between.hidden = wish.chosen.length < 2;
    v.node.hidden = wish.chosen.length < 4;
    u.set(wish.at[0]);
    v.set(wish.at[1]);
    psi.set(wish.psi);
    rows.forEach((one, i) => one.slider.set(wish.steps[i] || 0));
    mix_seed.value = wish.mixed ? String(wish.mixed[0]) : "";
    crossover.set(wish.mixed ? wish.mixed[1] : about.layers);
    to.value = wish.morph ? String(wish.morph[0]) : "";
    morph.set(wish.morph ? wish.morph[1] : 0);
    morph.node.hidden = !wish.morph;
  }
  return { node, steer, set };
}
