// Translate or repair: lay pictures down, let the server work, look at both sides of what came.
import { ask, path } from "../api.js";
import { el } from "../dom.js";
import { brush } from "../parts/brush.js";
import { compare } from "../parts/compare.js";
import { drop } from "../parts/drop.js";
import { sheet } from "../parts/sheet.js";
import { follow } from "../parts/work.js";

export async function show(root, context) {
  await sheet("parts/parts.css");
  const { run, say, wrong } = context;
  const about = await ask(path(run, "translate"));
  const laid = new Map(); // input -> what the server said of its picture
  let gone = false;
  let painter = null;

  const way = () => (about.ways[context.values().direction] ? context.values().direction : "a2b");
  const places = el("div", { class: "places" });
  const paper = el("div");
  const progress = el("div", { class: "row", role: "group", "aria-label": "Progress" });
  const result = el("section", { "aria-label": "Result" });
  const fit = el("input", { type: "checkbox" });
  const go = el("button", { type: "button", class: "main", onclick: () => begin().catch(wrong) });

  async function take(name, file) {
    const found = await ask(path(run, "translate", "pictures"), { body: file, type: /^image\//.test(file.type) ? file.type : "application/octet-stream" });
    laid.set(name, { ...found, url: path(run, "translate", "pictures", found.id) });
    say(`${name}: ${found.width} by ${found.height} pixels`);
    return laid.get(name);
  }

  function paintable(one) {
    if (!about.mends) return;
    painter = brush({ ...one, say });
    paper.replaceChildren(
      el("h3", {}, "Paint over what is to be made anew"),
      one.clear ? el("p", { class: "soft" }, "Where nothing is painted, the transparent parts are filled.") : "",
      painter.node
    );
  }

  function layout() {
    const { takes, gives, scale } = about.ways[way()];
    for (const name of [...laid.keys()]) if (!takes.includes(name)) laid.delete(name);
    places.replaceChildren(
      ...takes.map((name) => {
        const place = drop({ label: takes.length > 1 || !about.mends ? name : "Picture", wrong, taken: async (file) => {
          const one = await take(name, file);
          place.show(one.url, `${name}, ${one.width} by ${one.height} pixels`);
          paintable(one);
        } });
        if (laid.has(name)) place.show(laid.get(name).url, name);
        return place.node;
      })
    );
    go.textContent = about.mends ? "Repair" : scale > 1 ? `Enlarge ${scale} times` : `Make ${gives}`;
    fit.parentNode.hidden = about.mends || scale > 1;
    for (const radio of root.querySelectorAll("input[name=way]")) radio.checked = radio.value === way();
  }

  async function begin() {
    const { takes, gives } = about.ways[way()];
    const missing = takes.filter((name) => !laid.has(name));
    if (missing.length) throw new Error(`Choose a picture first: ${missing.join(" and ")}`);
    wrong(null);
    result.replaceChildren();
    const wish = { pictures: Object.fromEntries(takes.map((name) => [name, laid.get(name).id])), direction: way(), fit: fit.checked && !fit.parentNode.hidden };
    if (about.mends) {
      const mask = await painter.mask();
      if (mask) wish.mask = (await ask(path(run, "translate", "pictures"), { body: mask, type: "image/png" })).id;
      else if (!laid.get(takes[0]).clear) throw new Error("Paint over a part of the picture first");
    }
    go.disabled = true;
    try {
      const { id } = await ask(path(run, "translate", "works"), { json: wish });
      const done = await follow(path(run, "translate", "works", id), progress, { say, left: () => gone });
      if (done && !gone) finish(path(run, "translate", "works", id, "picture"), takes, gives);
    } finally {
      go.disabled = false;
    }
  }

  function finish(made, takes, gives) {
    const title = about.mends ? "repaired" : gives;
    const first = about.mends ? "what was given" : takes[0];
    const pairs = takes.map((name) => compare({ before: laid.get(name).url, after: made, names: [takes.length > 1 ? name : first, title] }));
    result.replaceChildren(
      el("h3", {}, "Compare"), el("div", { class: "pairs" }, pairs),
      el("p", {}, el("a", { href: made, download: `${run}-${title}.png`, class: "button" }, "Download PNG"))
    );
    say("the picture is made");
    result.scrollIntoView({ block: "nearest" });
  }

  const names = Object.entries(about.ways);
  const title = about.mends ? "Repair a picture" : names.length > 1 ? "Translate pictures" : `From ${about.ways.a2b.takes.join(" and ")} to ${about.ways.a2b.gives}`;
  const mega = (n) => `${n / 1e6} million`;
  root.append(
    el("h2", {}, title),
    el("p", { class: "soft" }, `Any size up to ${mega(about.most.pixels)} pixels. Trained on ${about.trained[1]} by ${about.trained[0]} pixels: larger pictures are worked on in parts that overlap. Pictures stay on this computer.`),
    names.length > 1
      ? el("fieldset", {}, el("legend", {}, "Direction"),
          names.map(([name, one]) =>
            el("label", {}, el("input", { type: "radio", name: "way", value: name, onchange: () => {
              context.keep({ ...context.values(), direction: name });
              result.replaceChildren();
              layout();
            } }), ` ${one.takes.join(" and ")} → ${one.gives} `)))
      : "",
    places, paper,
    el("p", {}, el("label", {}, fit, " bring to the size of training first")),
    el("div", { class: "row" }, go), progress, result
  );
  layout();
  const moved = () => layout();
  addEventListener("moved", moved);
  return () => {
    gone = true;
    removeEventListener("moved", moved);
  };
}
