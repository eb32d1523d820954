// Edit a picture of one's own: it is looked for in the latent space, and moved there.
import { ask, path } from "../api.js";
import { el } from "../dom.js";
import { compare } from "../parts/compare.js";
import { drop } from "../parts/drop.js";
import { sheet } from "../parts/sheet.js";
import { sliders } from "../parts/sliders.js";
import { follow } from "../parts/work.js";

const HINT = "One σ is a usual difference between pictures of this run. What is called sefa or ganspace was found without a name: try what it does.";
const POOR = 15; // decibels below which the generator does not know such pictures

export async function show(root, context) {
  await Promise.all([sheet("parts/parts.css"), sheet("panels/edit.css")]);
  const { run, say, wrong } = context;
  const about = await ask(path(run, "edit"));
  const at = (number, ...more) => path(run, "edit", "works", number, ...more);
  const urls = new Map(); // what blobs are shown as: to be given back
  let gone = false;
  let desk = null; // what is on show of a picture that was found

  const label = about.classes.length
    ? el("select", {}, el("option", { value: "" }, "to be found out"), about.classes.map((name, i) => el("option", { value: String(i) }, name)))
    : null;
  const looks = el("div", { class: "edit-look", hidden: true });
  const progress = el("div", { class: "row", role: "group", "aria-label": "Progress" });
  const result = el("section", { "aria-label": "Edit" });

  function url(key, blob) {
    URL.revokeObjectURL(urls.get(key));
    urls.set(key, URL.createObjectURL(blob));
    return urls.get(key);
  }

  async function begin(file) {
    if (desk) desk.end();
    result.replaceChildren();
    const type = /^image\//.test(file.type) ? file.type : "application/octet-stream";
    const wish = label && label.value ? `?label=${label.value}` : "";
    const { id } = await ask(path(run, "edit", "works") + wish, { body: file, type });
    look(id).catch(wrong); // the place for pictures need not wait for it
  }

  async function look(id) {
    const so = el("img", { alt: "what is found so far" });
    const near = el("figcaption", {}, "looking …");
    looks.replaceChildren(
      el("figure", {}, el("img", { src: at(id, "wanted"), alt: "your picture, as this run sees it" }), el("figcaption", {}, "yours")),
      el("figure", {}, so, near)
    );
    looks.hidden = false;
    say("looking for the picture in the latent space");
    let last = null;
    const seen = (work) => {
      if (work.decibels === null || work.done === last) return;
      last = work.done;
      so.src = `${at(id, "picture")}?${work.done}`;
      near.textContent = `found so far: ${work.decibels.toFixed(1)} dB`;
    };
    const done = await follow(at(id), progress, { say, left: () => gone, seen, parts: "steps" });
    if (gone) return;
    looks.hidden = true;
    if (!done) return;
    context.keep({ work: id });
    await open(id);
  }

  async function open(id) {
    const work = await ask(at(id));
    if (work.state !== "done" || gone) return;
    desk = edit(id, work);
    result.replaceChildren(desk.node);
    say(`found, ${work.decibels.toFixed(1)} decibels: move the sliders`);
    await desk.read();
  }

  function edit(id, work) {
    let busy = false;
    let wanted = null; // the newest wish that has not been asked yet
    let ended = false;
    const pair = compare({ before: at(id, "wanted"), after: at(id, "picture"), names: ["yours", "edited"] });
    const shown = pair.querySelector(".compare-under");
    const save = el("a", { class: "button", download: `${run}-edited.png`, href: at(id, "picture") }, "Download PNG");
    const kind = about.morphs
      ? el("select", { onchange: () => settled(bars.values()) }, el("option", { value: "" }, "as it is"), about.classes.map((name, i) => el("option", { value: String(i) }, name)))
      : null;

    async function draw(wish) {
      wanted = wish;
      if (busy) return;
      busy = true;
      try {
        while (wanted && !ended) {
          const now = wanted;
          wanted = null;
          const blob = await ask(at(id, "edited"), { json: now });
          if (ended) return;
          shown.src = save.href = url("edited", blob);
        }
        wrong(null);
      } catch (error) {
        wrong(error);
      } finally {
        busy = false;
      }
    }

    const wish = (steps) => ({ steps, ...(kind && kind.value ? { label: Number(kind.value) } : {}) });
    const settled = (steps) => {
      const kept = steps.map((value, i) => (value ? `${i}:${value}` : "")).filter(Boolean).join(",");
      context.keep({ work: id, steps: kept, class: kind ? kind.value : "" });
      say("the picture is edited");
      return draw(wish(steps));
    };
    const bars = sliders({ directions: work.directions, farthest: about.farthest, steps: [], moving: (steps) => draw(wish(steps)), settled });
    const poor = work.decibels < POOR ? "This is not very near: the generator was trained on other pictures." : "";
    return {
      node: el(
        "div", { class: "edit-desk" },
        el("div", {}, pair, el("p", { class: "soft" }, `Found: pixels are off by ${(100 * 10 ** (-work.decibels / 20)).toFixed(1)} % (PSNR ${work.decibels.toFixed(1)} dB). ${poor}`), el("div", { class: "row" }, save)),
        el(
          "div", {}, el("h3", {}, "Steer it"), el("p", { class: "soft" }, HINT), bars.node,
          kind ? el("label", { class: "row" }, "Make it a ", kind) : "",
          el("div", { class: "row" }, el("button", { type: "button", onclick: () => {
            if (kind) kind.value = "";
            bars.set([]);
            settled(bars.values());
          } }, "Back to what was found"))
        )
      ),
      id,
      // what the address says
      read() {
        const values = context.values();
        const steps = [];
        for (const part of (values.steps || "").split(",").slice(0, 256)) {
          const [i, value] = part.split(":").map(Number);
          if (Number.isInteger(i) && Number.isFinite(value) && work.directions[i]) steps[i] = Math.max(-about.farthest, Math.min(about.farthest, value));
        }
        if (kind) kind.value = about.classes[values.class] === undefined ? "" : values.class;
        bars.set(steps);
        return draw(wish(bars.values()));
      },
      end() {
        ended = true;
      },
    };
  }

  const place = drop({ label: "Your picture", wrong, taken: begin });
  const [, height, width] = about.shape;
  root.append(
    el("h2", {}, "Edit a picture of yours"),
    el("p", { class: "soft" }, `It is brought to ${width} by ${height} pixels, the size of this run, and looked for among all pictures that the generator can make; sliders then change what was found. Pictures stay on this computer.`),
    label ? el("label", { class: "row" }, "Its class ", label) : "",
    el("div", { class: "places" }, place.node), looks, progress, result
  );

  async function moved() {
    const { work } = context.values();
    if (desk && desk.id === work) return desk.read();
    if (desk) desk.end();
    desk = null;
    result.replaceChildren();
    if (work) await open(work);
  }
  const safely = () => moved().catch(wrong);
  addEventListener("moved", safely);
  if (context.values().work) safely();
  return () => {
    gone = true;
    if (desk) desk.end();
    for (const one of urls.values()) URL.revokeObjectURL(one);
    removeEventListener("moved", safely);
  };
}
