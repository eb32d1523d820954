// Scales of an axis: from data to places, and ticks that people would choose.
export function extent(values, share = 0) {
  const good = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (!good.length) return [0, 1];
  const at = (q) => good[Math.min(good.length - 1, Math.max(0, Math.round(q * (good.length - 1))))];
  const [low, high] = [at(share), at(1 - share)];
  if (low === high) return [low - (Math.abs(low) / 2 || 0.5), high + (Math.abs(high) / 2 || 0.5)];
  return [low - (high - low) * 0.04, high + (high - low) * 0.04];
}

export const linear = ([low, high], [from, to]) => (value) => from + ((value - low) / (high - low || 1)) * (to - from);

export function logarithmic([low, high], places) {
  const scale = linear([Math.log10(low), Math.log10(high)], places);
  return (value) => scale(Math.log10(Math.max(value, low / 1e6)));
}

export function ticks([low, high], most = 5) {
  const raw = (high - low) / most;
  if (!(raw > 0) || !Number.isFinite(raw)) return [low];
  const ten = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * ten).find((size) => size >= raw);
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high + step * 1e-9 && found.length < 20; i++) found.push(Number((i * step).toPrecision(12)));
  return found;
}

export function decades([low, high]) {
  const found = [];
  for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++)
    for (const m of [1, 3]) if (m * 10 ** e >= low && m * 10 ** e <= high) found.push(m * 10 ** e);
  return found;
}

// A tick's words: short, the same for all sizes.
export function short(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return `${+(value / 1e6).toPrecision(3)}M`;
  if (size >= 1e4) return `${+(value / 1e3).toPrecision(3)}k`;
  if (size && size < 0.001) return value.toExponential(0);
  return String(+value.toPrecision(4));
}
