// Judge by eye: two pictures side by side, one real; which? The server tells nothing of the truth before the answer.
import { ask, path } from "../api.js";
import { el } from "../dom.js";
import { sheet } from "../parts/sheet.js";

const LIMITS = [["", "none: look as long as you like"], ["1000", "1 second"], ["500", "half a second"], ["250", "a quarter of a second"]];
const percent = (share) => `${(100 * share).toFixed(2)}%`; // as style sheets write it

// One picture holds both, so that neither can be told by its file: each half goes onto a canvas of its own.
function halves(image) {
  const wide = image.width / 2;
  return ["left", "right"].map((side, i) => {
    const canvas = el("canvas", { width: wide, height: image.height, role: "img", "aria-label": `The picture on the ${side}`, class: wide < 300 ? "coarse" : "" });
    canvas.getContext("2d").drawImage(image, -i * wide, 0);
    return canvas;
  });
}

// A rate on a line from 0 to 100 %, with its interval and a mark at 50 %, where nobody can tell.
function rate(title, told) {
  const bar = el("div", { class: "rate", role: "img", "aria-label": told.words }, el("span", { class: "rate-half" }), el("span", { class: "rate-span" }), el("span", { class: "rate-at" }));
  if (told.rate === null) return el("p", {}, el("b", {}, `${title}: `), told.words);
  const [, span, at] = bar.children;
  span.style.left = percent(told.low);
  span.style.width = percent(told.high - told.low);
  at.style.left = percent(told.rate);
  return el("div", {}, el("p", {}, el("b", {}, `${title}: `), `${told.words}.`), bar, el("div", { class: "rate-ends soft" }, el("span", {}, "0 %: always told apart"), el("span", {}, "50 %: a coin does as well")));
}

function standing(results) {
  const people = results.sessions === 1 ? "1 sitting" : `${results.sessions} sittings`;
  return el("section", { "aria-labelledby": "standing" }, el("h3", { id: "standing" }, "All answers"),
    rate(results.rate === null ? "So far" : `Fooling rate, ${people}`, results),
    el("p", { class: "soft" }, `Of the generator at step ${results.step.toLocaleString("en")}. The interval is Wilson's, 95 %; it takes every answer as independent.`,
      results.earlier ? ` ${results.earlier.toLocaleString("en")} more answers are about other steps and are not counted.` : ""));
}

export async function show(root, context) {
  await sheet("parts/parts.css");
  const { run, say, wrong } = context;
  const where = (...parts) => path(run, "eye", ...parts);
  let choose = () => {};
  let timer = 0;
  let gone = false;

  async function start() {
    const about = await ask(where());
    const trials = el("input", { type: "number", min: "1", max: String(about.most), value: "20" });
    const limit = el("select", {}, LIMITS.map(([value, name]) => el("option", { value }, name)));
    const go = el("button", { type: "submit", class: "main" }, "Begin");
    root.replaceChildren(
      el("h2", {}, "Which one is real?"),
      el("p", {}, "You see two pictures side by side. One is real and was held out of training, the other is generated. Choose the real one, with the buttons or with the arrow keys ← and →."),
      el("p", { class: "soft" }, `The real ones are read from ${about.data || "nowhere"}. Answers are kept in this run's folder (eye.jsonl), without your name.`),
      el("form", { onsubmit: (event) => {
        event.preventDefault();
        go.disabled = true;
        say("reading the real pictures");
        begin(Number(trials.value), limit.value ? Number(limit.value) : null).catch((error) => {
          go.disabled = false;
          wrong(error);
        });
      } }, el("div", { class: "row" }, el("label", {}, "Pairs ", trials), el("label", {}, "Time limit ", limit), go)),
      standing(about.results)
    );
  }

  async function begin(trials, limit_ms) {
    wrong(null);
    const session = await ask(where("sessions"), { json: { trials, limit_ms } });
    const stage = el("div", { class: "stage" });
    const count = el("p", { "aria-live": "polite" });
    const buttons = ["left", "right"].map((side) => el("button", { type: "button", class: "main", onclick: () => choose(side) }, side === "left" ? "← Left is real" : "Right is real →"));
    root.replaceChildren(el("h2", {}, "Which one is real?"), count, stage, el("div", { class: "row sides" }, buttons));

    for (let trial = 0; trial < session.trials; trial++) {
      const blob = await ask(where("sessions", session.id, "trials", trial));
      const image = await createImageBitmap(blob);
      if (gone) return;
      count.textContent = `Pair ${trial + 1} of ${session.trials}`;
      stage.replaceChildren(...halves(image));
      if (limit_ms) timer = setTimeout(() => stage.classList.add("hidden"), limit_ms);
      buttons.forEach((one) => (one.disabled = false));
      const real = await new Promise((ready) => (choose = ready));
      choose = () => {};
      clearTimeout(timer);
      buttons.forEach((one) => (one.disabled = true));
      stage.classList.remove("hidden");
      const told = await ask(where("sessions", session.id, "answers"), { json: { trial, real } });
      if (gone) return;
      if (told.truth) await finish(session.id, told);
    }
  }

  async function finish(id, told) {
    const mistaken = told.truth.map((one, trial) => ({ ...one, trial })).filter((one) => one.real !== one.chosen).slice(0, 12);
    const pairs = await Promise.all(mistaken.map(async (one) => {
      const both = halves(await createImageBitmap(await ask(where("sessions", id, "trials", one.trial))));
      return el("figure", { class: "mistaken" }, el("div", { class: "stage" }, both), el("figcaption", { class: "soft" }, `pair ${one.trial + 1}: the ${one.real} one was real`));
    }));
    if (gone) return;
    root.replaceChildren(
      el("h2", {}, "Which one was real"), rate("You", told.mine),
      pairs.length ? el("h3", {}, "Where you took the generated one") : "", el("div", { class: "pairs" }, pairs),
      standing(told.results),
      el("p", {}, el("button", { type: "button", onclick: () => start().catch(wrong) }, "Once more"))
    );
    say(told.mine.words);
  }

  const keys = (event) => {
    const side = { ArrowLeft: "left", ArrowRight: "right" }[event.key];
    if (!side || event.repeat || event.target.closest("input, select")) return;
    event.preventDefault();
    choose(side);
  };
  addEventListener("keydown", keys);
  await start();
  return () => {
    gone = true;
    clearTimeout(timer);
    removeEventListener("keydown", keys);
  };
}
