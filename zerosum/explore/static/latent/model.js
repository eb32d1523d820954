// The model behind the latent panel: what it must be able to do. Two are: remote.js, behind the explorer's server, and
// local.js, in the visitor's browser. The panel (panel.js) takes a model and knows nothing of where it runs.
//
// A model does two things, it enters and it renders. All that happens in between (ways between points, directions,
// truncation, mixtures of layers and of classes) is algebra on points, in algebra.js, and the same for every model.
//
// A point is Float32Array [layers * dim]: a generator's styles, layer by layer from coarse to fine, or its noise, which is
// one layer. Several points lie one after the other in one array.
//
// about: what is fixed. `zerosum.latent.about.about` writes it.
//   recipe    the recipe's name
//   shape     [channels, height, width] of a picture
//   classes   the classes' names; [] where the generator takes no labels
//   shares    how many shares of classes `render` takes an item: classes.length where labels steer the generator beside its
//             point; 0 where they have entered the point (styles), or there are none
//   layers, dim
//   styled    whether points are styles; else noise
//   truncates whether coming nearer to `mean` makes pictures more typical
//   straight  whether ways between points are straight lines (styles, uniform noise); else great circles (normal noise)
//   mean      [dim], the mean style; zeros for noise
//   most      {items, pixels}: how much `render` takes at once
//
// enter(seeds, labels) -> Promise of Float32Array [n, layers, dim]
//   The points of n seeds, whole numbers from 0. labels: a class for each seed, where about.classes has some; else null. A
//   seed's point is the one that `zerosum sample RUN -n 1 --seed SEED` begins from, without truncation.
// render(points, shares, n, signal) -> Promise of n ImageData
//   points [n, layers, dim]; shares Float32Array [n, about.shares], each row 1 in all, or null where about.shares is 0.
//   signal: an AbortSignal; where it fires the promise fails with an AbortError, at once or later.
// directions() -> Promise of [{name, method, vector: Float32Array [dim], sigma, layers: [from, to)}]
//   Named ways to move a point: a step of 1 adds sigma * vector to the layers from `from` to `to` - 1. Methods group them.
// taught(name, seeds, labels, tags) -> Promise of a direction towards what the seeds with a true tag have and others have not.
//   Optional: a model without it cannot be taught.
// save(point, shares, made) -> Promise of a Blob, image/png
//   One picture to keep. made: plain values that say how it was made ({seeds: [..], ...}), for its provenance.
//
// All of them throw Errors whose messages are for people.

// How many numbers a point has.
export const numbers = (about) => about.layers * about.dim;

// How many pictures to ask for at once, so that a slider that moves meanwhile need not wait long.
export function slice(about) {
  const [, height, width] = about.shape;
  return Math.max(1, Math.min(about.most.items, 8, Math.floor(2 ** 20 / (height * width))));
}

// Rows from `from` on, `count` of them, of an array with rows of `size` numbers.
export const rows = (array, size, from, count = 1) => array.subarray(from * size, (from + count) * size);

// Points, or shares, one after the other in one array.
export function joined(parts) {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
