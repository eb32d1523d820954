// What the panel is asked to show, and the address that says so: everything in it can be undone, and shared.
//
//   seed    the first seed of the page of seeds          label  the class of all seeds; null: each its own
//   chosen  up to four seeds that the picture is made of; none: the page's first   at     [u, v]: where between them
//   steps   [amount, ...] of each direction               psi    truncation
//   mixed   [seed, layer] or null: styles from `layer` on are that seed's
//   morph   [class, share] or null                        like   [[seed, angle], ...]: small turns, one after the other
//   tags    [{name, seeds, yes}]: directions that somebody taught by tagging
export const PAGE = 16;
export const FARTHEST = 4; // sigmas either way
export const MOST_CHOSEN = 4;

const number = (word, least, most, otherwise) => {
  const value = Number(word);
  return word === undefined || word === "" || !Number.isFinite(value) ? otherwise : Math.min(most, Math.max(least, value));
};
const whole = (word, most, otherwise) => Math.floor(number(word, 0, most, otherwise));
const list = (word, most) => (word || "").split(",").filter(Boolean).slice(0, most);
const SEEDS = 2 ** 32;
const plain = (word) => {
  try {
    return decodeURIComponent(word);
  } catch {
    return word; // an address that was mended by hand
  }
};

// The seeds that the picture is made of.
export const shown = (wish) => (wish.chosen.length ? wish.chosen : [wish.seed]);

export function read(values, about) {
  const classes = about.classes.length;
  const chosen = [...new Set(list(values.of, MOST_CHOSEN).map((word) => whole(word, SEEDS, 0)))];
  const seed = whole(values.seed, SEEDS, 0);
  const steps = [];
  for (const part of list(values.steps, 256)) {
    const [i, amount] = part.split(":").map(Number);
    if (Number.isInteger(i) && i >= 0 && i < 512 && Number.isFinite(amount)) steps[i] = Math.min(FARTHEST, Math.max(-FARTHEST, amount));
  }
  const pair = (word) => (word || "").split(":");
  const [mix_seed, mix_layer] = pair(values.mix);
  const [morph_class, morph_share] = pair(values.morph);
  const [u, v] = pair(values.at);
  return {
    seed,
    label: classes && values.label !== undefined && values.label !== "" ? whole(values.label, classes - 1, null) : null,
    chosen,
    at: [number(u, 0, 1, chosen.length > 1 ? 0.5 : 0), number(v, 0, 1, chosen.length > 1 ? 0.5 : 0)],
    steps: Array.from(steps, (value) => value || 0),
    psi: about.truncates ? number(values.psi, 0, 1.5, 1) : 1,
    mixed: about.layers > 1 && mix_seed ? [whole(mix_seed, SEEDS, 0), whole(mix_layer, about.layers, about.layers)] : null,
    morph: classes > 1 && morph_class ? [whole(morph_class, classes - 1, 0), number(morph_share, 0, 1, 0)] : null,
    like: list(values.like, 24).map((part) => [whole(pair(part)[0], SEEDS, 0), number(pair(part)[1], 0, 1.6, 0)]),
    tags: (values.tags || "").split(";").filter(Boolean).slice(0, 8).map((part) => {
      const [name, seeds, yes] = part.split("~");
      return { name: plain(name).slice(0, 80), seeds: list(seeds, 64).map(Number), yes: list(yes, 64).map(Number) };
    }),
  };
}

export function write(wish) {
  const steps = wish.steps.map((value, i) => (value ? `${i}:${Number(value.toFixed(2))}` : "")).filter(Boolean);
  const [u, v] = wish.at.map((value) => Number(value.toFixed(3)));
  return {
    seed: wish.seed || "",
    label: wish.label ?? "",
    of: wish.chosen.join(","),
    at: wish.chosen.length > 1 ? `${u}:${v}` : "",
    steps: steps.join(","),
    psi: wish.psi === 1 ? "" : Number(wish.psi.toFixed(2)),
    mix: wish.mixed ? wish.mixed.join(":") : "",
    morph: wish.morph ? `${wish.morph[0]}:${Number(wish.morph[1].toFixed(2))}` : "",
    like: wish.like.map(([seed, angle]) => `${seed}:${angle}`).join(","),
    tags: wish.tags.map(({ name, seeds, yes }) => [encodeURIComponent(name), seeds.join(","), yes.join(",")].join("~")).join(";"),
  };
}
