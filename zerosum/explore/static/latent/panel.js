// The latent panel: it takes a model (model.js), wherever that runs.
import { el } from "../dom.js";
import { sheet } from "../parts/sheet.js";
import { controls } from "./controls.js";
import { canvas, newest, sheets } from "./pictures.js";
import { roving } from "./roving.js";
import { tagging } from "./tagging.js";
import { corners, entering, finished, label_of, placed, target } from "./target.js";
import { trail } from "./trail.js";
import * as wishes from "./wish.js";

const STEPS = 8;
const SIDE = 4;
const TURN = 0.5; // radians of "more like this"
const CALM = 150; // milliseconds without a move of a slider after which its strip of pictures follows
const TAUGHT = 32; // pictures that are shown while somebody tags: 20 are enough

export async function panel(root, context, model) {
  await Promise.all([sheet("parts/parts.css"), sheet("latent/latent.css")]);
  const { about } = model;
  const { say, wrong } = context;
  const enter = entering(model);
  let found = []; // the model's own directions
  let taught = []; // and those that somebody taught by tagging
  let wish = wishes.read(context.values(), about);
  let gone = false;
  const directions = () => [...found, ...taught];

  const main = canvas(about, "the picture");
  main.classList.add("latent-main");
  const show = newest(model, main, wrong);
  const steps = trail(context, () => look(true));
  const drawn = { seeds: sheets(model, wrong), strip: sheets(model, wrong), likes: sheets(model, wrong) };

  // ---- what people do -------------------------------------------------------------------------------------------------

  const current = () => show(() => target(wish, about, enter, directions()), JSON.stringify([wishes.write(wish), directions().length]));

  // hand: the slider that is moved, null for anything else.
  function change(part, final = true, hand = null) {
    wish = { ...wish, ...part };
    if (!final) return void current();
    steps.keep(wishes.write(wish), hand);
    look(false, hand);
  }

  function pick(seed) {
    if (tags && tags.on()) return tags.toggle(seed);
    const without = wish.chosen.filter((one) => one !== seed);
    const chosen = without.length < wish.chosen.length ? without : [...wish.chosen, seed].slice(-wishes.MOST_CHOSEN);
    change({ chosen, at: chosen.length > 1 ? [0.5, 0.5] : [0, 0], like: [] });
  }

  const link = el("button", { type: "button", onclick: async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      say("The link is copied.");
      link.textContent = "Copied";
    } catch {
      link.replaceWith(el("input", { type: "text", readonly: true, value: location.href, "aria-label": "The link to this picture" }));
    }
    setTimeout(() => (link.textContent = "Copy link"), 1500);
  } }, "Copy link");
  const undo = el("button", { type: "button", onclick: steps.back }, "Undo");
  const redo = el("button", { type: "button", onclick: steps.forward }, "Redo");
  const save = el("button", { type: "button", onclick: async () => {
    try {
      const { point, shares } = await target(wish, about, enter, directions());
      const address = URL.createObjectURL(await model.save(point, shares, { seeds: wishes.shown(wish), address: wishes.write(wish) }));
      el("a", { href: address, download: `${context.run || about.recipe}-${wishes.shown(wish).join("-")}.png` }).click();
      setTimeout(() => URL.revokeObjectURL(address), 10_000);
    } catch (error) {
      wrong(error);
    }
  } }, "Download PNG");
  const more = el("button", { type: "button", onclick: () => likes.hidden ? similar() : (likes.hidden = true) }, "More like this");
  const likes = el("div", { class: "latent-strip", hidden: true, role: "group", "aria-label": "Pictures like this one" });
  const strip = el("div", { class: "latent-strip", role: "group", "aria-label": "Between the chosen pictures" });
  const grid = el("div", { class: "latent-grid", role: "group", "aria-label": "Seeds" });
  const [fill_likes, fill_strip, fill_grid] = [likes, strip, grid].map((group) => roving(group).fill);
  const steering = controls(about, change);

  const go_to = el("input", { type: "number", min: "0", step: "1", "aria-label": "First seed of the page", onchange: () => page(Number(go_to.value)) });
  const label = about.classes.length
    ? el("select", { onchange: () => change({ label: label.value === "" ? null : Number(label.value) }) }, el("option", { value: "" }, "one after the other"), about.classes.map((name, i) => el("option", { value: String(i) }, name)))
    : null;
  const page = (seed) => change({ seed: Math.max(0, Math.floor(seed) || 0) });
  const on_page = () => Array.from({ length: tags && tags.on() ? TAUGHT : wishes.PAGE }, (_, i) => wish.seed + i);
  const tags = model.taught
    ? tagging({ seeds: on_page, wrong, mark: () => seeds(), teach: async (tag) => {
        await teach([...wish.tags, tag]);
        change({ tags: [...wish.tags, tag] });
        say(`There is a slider for ${tag.name} now.`);
      } })
    : null;

  // ---- what is drawn --------------------------------------------------------------------------------------------------

  // A button with a picture in it. -> [button, canvas]
  function cell(name, onclick, pressed = null) {
    const place = canvas(about, "");
    place.setAttribute("aria-hidden", "true");
    return [el("button", { type: "button", class: "latent-cell", "aria-label": name, title: name, "aria-pressed": pressed === null ? null : String(pressed), onclick }, place), place];
  }

  let shown = ""; // what the grid shows
  function seeds() {
    const all = on_page();
    const now = JSON.stringify([all, wish.label]);
    const name = (seed) => `seed ${seed}${about.classes.length ? `, ${about.classes[label_of(wish, about, seed)]}` : ""}`;
    if (now !== shown) {
      shown = now;
      const cells = all.map((seed) => cell(name(seed), () => pick(seed), false));
      fill_grid(cells.map(([button]) => button));
      const plain = { ...wish, morph: null };
      drawn.seeds.start(() => corners(plain, about, enter, all), cells.map(([, place]) => place));
    }
    const marked = tags && tags.on() ? tags.marked() : new Set(wish.chosen);
    all.forEach((seed, i) => grid.children[i] && grid.children[i].setAttribute("aria-pressed", String(marked.has(seed))));
  }

  let laid = ""; // where the strip's pictures are
  let places = [];
  function between(hand) {
    const many = wish.chosen.length;
    strip.hidden = many < 2;
    if (many < 2) {
      laid = "";
      fill_strip([]);
      return drawn.strip.end();
    }
    if (laid !== wish.chosen.join()) {
      laid = wish.chosen.join();
      const at = many === 4 ? Array.from({ length: SIDE ** 2 }, (_, i) => [(i % SIDE) / (SIDE - 1), Math.floor(i / SIDE) / (SIDE - 1)]) : Array.from({ length: STEPS }, (_, i) => [i / (STEPS - 1), 0]);
      const name = ([u, v]) => (many === 4 ? `${Math.round(100 * u)} % along, ${Math.round(100 * v)} % down` : `${Math.round(100 * u)} % of the way`);
      const cells = at.map((one) => cell(name(one), () => change({ at: one })));
      fill_strip(cells.map(([button]) => button));
      places = cells.map(([, place], i) => [at[i], place]);
    }
    const now = wish;
    drawn.strip.start(async () => {
      const ends = await corners(now, about, enter);
      return Promise.all(places.map(([at]) => finished(placed(ends, at, about), now, about, enter, directions())));
    }, places.map(([, place]) => place), hand ? CALM : 0);
  }

  function similar() {
    const now = wish;
    const ways = Array.from({ length: STEPS }, (_, i) => 1 + now.like.length * STEPS + i);
    const cells = ways.map((way, i) => cell(`variation ${i + 1}`, () => change({ like: [...now.like, [way, TURN]] })));
    fill_likes(cells.map(([button]) => button));
    likes.hidden = false;
    drawn.likes.start(() => Promise.all(ways.map((way) => target({ ...now, like: [...now.like, [way, TURN]] }, about, enter, directions()))), cells.map(([, place]) => place));
    say("Eight pictures like this one.");
  }

  async function teach(asked) {
    taught = await Promise.all(asked.map(async ({ name, seeds: all, yes }) => {
      const labels = about.classes.length ? all.map((seed) => label_of(wish, about, seed)) : null;
      return model.taught(name, all, labels, all.map((seed) => yes.includes(seed)));
    }));
    steering.steer(directions());
  }

  // Everything, as the wish has it. `again`: the address has changed by itself.
  async function look(again = false, hand = null) {
    if (gone) return;
    try {
      if (again) {
        const before = JSON.stringify(wish.tags);
        wish = wishes.read(context.values(), about);
        if (JSON.stringify(wish.tags) !== before) await teach(wish.tags);
      }
      wrong(null);
      undo.disabled = steps.first();
      redo.disabled = steps.last();
      go_to.value = String(wish.seed);
      if (label) label.value = wish.label === null ? "" : String(wish.label);
      steering.set(wish);
      likes.hidden = true;
      drawn.likes.end();
      const words = wish.chosen.length > 1 ? `between seeds ${wish.chosen.join(", ")}` : `seed ${wishes.shown(wish)[0]}`;
      main.setAttribute("aria-label", `the picture: ${words}`);
      caption.textContent = words;
      clear.hidden = wish.chosen.length < 2;
      const shown_now = current();
      seeds();
      between(hand);
      await shown_now;
    } catch (error) {
      wrong(error);
    }
  }

  const caption = el("span", { class: "soft" });
  const clear = el("button", { type: "button", onclick: () => change({ chosen: wish.chosen.slice(-1), at: [0, 0] }) }, "Only the last");
  root.append(
    el("div", { class: "row" }, el("label", {}, "Seeds from ", go_to),
      el("button", { type: "button", onclick: () => page(wish.seed - wishes.PAGE) }, "Previous"),
      el("button", { type: "button", onclick: () => page(wish.seed + wishes.PAGE) }, "Next"),
      el("button", { type: "button", onclick: () => page(Math.floor(Math.random() * 1e6)) }, "Anywhere"),
      label ? el("label", {}, "Classes ", label) : null, tags ? tags.button : null),
    tags ? tags.form : el("span"),
    el("p", { class: "soft" }, "Click a picture to look at it; two, three or four to go between them."),
    grid,
    el("div", { class: "latent-desk" },
      el("div", { class: "latent-made" }, el("div", { class: "latent-frame" }, main), el("div", { class: "row" }, caption, clear),
        el("div", { class: "row" }, undo, redo, more, save, link), strip, likes),
      steering.node)
  );
  const keys = (event) => {
    const typing = event.target instanceof HTMLInputElement && ["text", "number"].includes(event.target.type);
    if (typing || !(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    event.preventDefault();
    event.shiftKey ? steps.forward() : steps.back();
  };
  addEventListener("keydown", keys);
  addEventListener("moved", steps.moved);
  steering.steer([], "Looking for directions…");
  await look();
  model.directions().then(async (ways) => {
    if (gone) return;
    found = ways;
    if (wish.tags.length) await teach(wish.tags);
    steering.steer(directions());
    if (directions().length && wish.steps.some(Boolean)) await look();
  }).catch(wrong);
  return () => {
    gone = true;
    for (const one of Object.values(drawn)) one.end();
    removeEventListener("keydown", keys);
    removeEventListener("moved", steps.moved);
  };
}
