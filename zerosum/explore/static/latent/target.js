// From a wish (wish.js) to the point and the shares of classes that a model renders.
import { add, along, lerp, mix, shares, square, truncate, vary } from "./algebra.js";
import { numbers, rows } from "./model.js";
import { shown } from "./wish.js";

const APART = 1_000_003; // seeds of "more like this" are drawn far from those of the page

// A class for a seed, where there are classes: the one asked for, or each its own.
export const label_of = (wish, about, seed) => (about.classes.length ? wish.label ?? seed % about.classes.length : null);

// Points of seeds, each asked for once: seeds and labels -> Promise of [point, ...].
export function entering(model) {
  const known = new Map();
  const size = numbers(model.about);
  return async (seeds, labels) => {
    const keys = seeds.map((seed, i) => `${seed}/${labels ? labels[i] : ""}`);
    const fresh = keys.map((key, i) => i).filter((i) => !known.has(keys[i]));
    if (fresh.length) {
      const points = await model.enter(fresh.map((i) => seeds[i]), labels && fresh.map((i) => labels[i]));
      fresh.forEach((i, place) => known.set(keys[i], rows(points, size, place).slice()));
    }
    return keys.map((key) => known.get(key));
  };
}

// What a wish's seeds are: [{point, shares}, ...].
export async function corners(wish, about, enter, seeds = shown(wish)) {
  const labelled = about.classes.length > 0;
  const own = labelled ? seeds.map((seed) => label_of(wish, about, seed)) : null;
  const points = await enter(seeds, own);
  const [to, share] = wish.morph || [0, 0];
  const styled = wish.morph && !about.shares ? await enter(seeds, seeds.map(() => to)) : null;
  return points.map((point, i) => ({
    point: styled ? lerp(point, styled[i], share) : point,
    shares: about.shares ? shares(about.shares, own[i], wish.morph ? to : own[i], share) : null,
  }));
}

// Where `at` lies between corners: a way through two or three, a square of four.
export function placed(found, [u, v], about) {
  const [points, mixed] = [found.map(({ point }) => point), found.map((one) => one.shares)];
  const four = found.length === 4;
  return {
    point: four ? square(points, u, v, about.straight) : along(points, u, about.straight),
    shares: about.shares ? (four ? square(mixed, u, v, true) : along(mixed, u, true)) : null,
  };
}

// A point with everything else that is wished for.
export async function finished(base, wish, about, enter, directions) {
  let { point } = base;
  if (wish.mixed) {
    const label = label_of(wish, about, wish.mixed[0]);
    const [other] = await enter([wish.mixed[0]], label === null ? null : [label]);
    point = mix(point, other, wish.mixed[1], about.dim);
  }
  for (const [seed, angle] of wish.like) point = await varied(point, seed, angle, wish, about, enter);
  if (about.truncates) point = truncate(point, about.mean, wish.psi);
  directions.forEach(({ vector, sigma, layers: [from, to] }, i) => {
    if (wish.steps[i]) point = add(point, vector, wish.steps[i] * sigma, from, to);
  });
  return { point, shares: base.shares };
}

async function varied(point, seed, angle, wish, about, enter) {
  const label = label_of(wish, about, shown(wish)[0]);
  const [other] = await corners({ ...wish, label }, about, enter, [APART + seed]); // of the same class, on its way to another too
  return vary(point, other.point, angle, about.mean, about.straight && !about.styled);
}

export async function target(wish, about, enter, directions) {
  return finished(placed(await corners(wish, about, enter), wish.at, about), wish, about, enter, directions);
}

