// Torch's random numbers on the CPU, so that a seed gives in the browser what it gives on the command line.
//
// Matsumoto and Nishimura 1998, "Mersenne Twister: a 623-dimensionally equidistributed uniform pseudorandom number
// generator"; Box and Muller 1958, "A note on the generation of random normal deviates". What torch makes of them was found
// by comparing with torch 2.13 (tests/test_random_js.py does it again):
// - the seed is taken modulo 2^32, and fills the state by Knuth's recurrence, x[i] = 1812433253 (x[i-1] ^ x[i-1] >> 30) + i;
// - a float in [0, 1) is the low 24 bits of one word over 2^24; a double the low 53 bits of two words, the first the high one;
// - fewer than 16 normal numbers: pairs of doubles (u, v), the radius from the second: sqrt(-2 log(1 - v)), the angle 2 pi u,
//   the cosine first; the sine is kept for the next number, beyond the end of the call too;
// - 16 and more: floats for all of them first; then in each block of 16 the radius is from 1 minus the first eight, the angle
//   from the other eight, cosines in place of the first and sines in place of the second. Where the number is no multiple of
//   16, the last 16 places are filled once more, with new floats.
// Torch's cosines and logarithms differ a little between processors, so that its own normal numbers do by up to 2e-6.
const WORDS = 624;
const SHIFT = 397;
const f = Math.fround;

export class Random {
  // seed: a whole number from 0 to 2^53 - 1, or a BigInt from 0 to 2^64 - 1.
  constructor(seed) {
    this.state = new Uint32Array(WORDS);
    this.state[0] = Number(BigInt(seed) & 0xffffffffn);
    for (let i = 1; i < WORDS; i++) {
      const before = this.state[i - 1] ^ (this.state[i - 1] >>> 30);
      this.state[i] = Math.imul(1812433253, before) + i;
    }
    this.at = WORDS;
    this.kept = null; // the second number of a pair
  }

  // 32 bits.
  word() {
    if (this.at === WORDS) this.#turn();
    let y = this.state[this.at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  #turn() {
    const x = this.state;
    for (let i = 0; i < WORDS; i++) {
      const y = (x[i] & 0x80000000) | (x[(i + 1) % WORDS] & 0x7fffffff);
      x[i] = x[(i + SHIFT) % WORDS] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.at = 0;
  }

  // In [0, 1), 24 bits.
  float() {
    return (this.word() & 0xffffff) / 2 ** 24;
  }

  // In [0, 1), 53 bits.
  double() {
    const high = this.word() & 0x1fffff;
    return (high * 2 ** 32 + this.word()) / 2 ** 53;
  }

  // torch.rand(n).
  uniform(n) {
    return Float32Array.from({ length: n }, () => this.float());
  }

  // torch.randn(n); of a tensor of any shape its numbers in their order.
  normal(n) {
    if (n < 16) return Float32Array.from({ length: n }, () => this.#single());
    const x = this.uniform(n);
    for (let from = 0; from + 16 <= n; from += 16) blend(x.subarray(from, from + 16));
    if (n % 16) {
      x.set(this.uniform(16), n - 16);
      blend(x.subarray(n - 16));
    }
    return x;
  }

  #single() {
    if (this.kept !== null) {
      const kept = this.kept;
      this.kept = null;
      return kept;
    }
    const angle = 2 * Math.PI * this.double();
    const radius = Math.sqrt(-2 * Math.log1p(-this.double()));
    this.kept = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }
}

// 16 uniform numbers become 16 normal ones, each step rounded to float32, as torch does it.
function blend(x) {
  for (let i = 0; i < 8; i++) {
    const radius = f(Math.sqrt(f(-2 * f(Math.log(f(1 - x[i]))))));
    const angle = f(f(2 * Math.PI) * x[i + 8]);
    x[i] = radius * f(Math.cos(angle));
    x[i + 8] = radius * f(Math.sin(angle));
  }
}
