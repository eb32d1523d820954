// Algebra on points (Float32Array, see model.js): nothing here changes what it is given. Sums are in double precision.

// The straight line from a to b: (1 - t) a + t b.
export function lerp(a, b, t) {
  return a.map((value, i) => (1 - t) * value + t * b[i]);
}

// The great circle from a to b: (sin((1 - t) w) a + sin(t w) b) / sin w, w their angle (White 2016, "Sampling Generative
// Networks", section 2.1; Shoemake 1985). Where w is 0 or pi there is no one great circle, and the line is straight.
export function slerp(a, b, t) {
  let [aa, bb, ab] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    aa += a[i] * a[i];
    bb += b[i] * b[i];
    ab += a[i] * b[i];
  }
  const cosine = ab / Math.max(Math.sqrt(aa) * Math.sqrt(bb), 1e-30);
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  const sine = Math.sin(angle);
  if (!(sine > 1e-6)) return lerp(a, b, t);
  const [of_a, of_b] = [Math.sin((1 - t) * angle) / sine, Math.sin(t * angle) / sine];
  return a.map((value, i) => of_a * value + of_b * b[i]);
}

// From a to b, as the space wants it: straight or along the great circle; exactly a and b at the ends.
export function between(a, b, t, straight) {
  if (t <= 0) return a.slice();
  if (t >= 1) return b.slice();
  return (straight ? lerp : slerp)(a, b, t);
}

// Through points one after the other, t in [0, 1] from the first to the last.
export function along(points, t, straight) {
  if (points.length === 1) return points[0].slice();
  const legs = points.length - 1;
  const leg = Math.min(legs - 1, Math.floor(t * legs));
  return between(points[leg], points[leg + 1], t * legs - leg, straight);
}

// Within a square of four corners: a top left, b top right, c bottom left, d bottom right; u to the right, v down.
export function square([a, b, c, d], u, v, straight) {
  return between(between(a, b, u, straight), between(c, d, u, straight), v, straight);
}

// A direction's vector [dim], times `amount`, added to the layers from `from` to `to` - 1 of a point.
export function add(point, vector, amount, from, to) {
  const dim = vector.length;
  return point.map((value, i) => (i >= from * dim && i < to * dim ? value + amount * vector[i % dim] : value));
}

// Nearer to the mean [dim] in every layer: mean + psi (point - mean); 1 changes nothing, 0 gives the mean (Karras et al. 2019,
// "A Style-Based Generator Architecture", appendix B).
export function truncate(point, mean, psi) {
  if (psi === 1) return point.slice();
  return point.map((value, i) => mean[i % mean.length] + psi * (value - mean[i % mean.length]));
}

// Style mixing: the layers before `layer` from a, the others from b (Karras et al. 2019, section 3.1).
export function mix(a, b, layer, dim) {
  return a.map((value, i) => (i < layer * dim ? value : b[i]));
}

// A small step from a point towards another one that was drawn apart from it. Turned about the mean [dim]:
// mean + cos(angle) (point - mean) + sin(angle) (other - mean), so that what is normal stays so, with the same variance; in
// uniform noise a straight step, which stays within its bounds.
export function vary(point, other, angle, mean, within) {
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  if (within) return lerp(point, other, sine / 2);
  return point.map((value, i) => {
    const middle = mean[i % mean.length];
    return middle + cosine * (value - middle) + sine * (other[i] - middle);
  });
}

// All of class a, or of class b, or t of b and the rest of a: shares of each class, 1 in all.
export function shares(classes, a, b = a, t = 0) {
  const row = new Float32Array(classes);
  row[a] += 1 - t;
  row[b] += t;
  return row;
}
