// Numbers, times and counts in one way everywhere: seconds and minutes, thousands with commas, four figures.
const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

export const count = (n) => (Number.isFinite(n) ? whole.format(n) : "");

export function number(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e7 || (size > 0 && size < 0.0005)) return value.toExponential(1);
  if (size >= 10000) return whole.format(value);
  return size >= 1000 ? value.toFixed(1) : Number.isInteger(value) && size > 1 ? String(value) : value.toFixed(3);
}

export function duration(seconds) {
  if (!Number.isFinite(seconds) || seconds < 0) return "";
  if (seconds < 60) return `${seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min${seconds % 60 >= 1 && seconds < 600 ? ` ${Math.floor(seconds % 60)} s` : ""}`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h${Math.floor((seconds % 3600) / 60) ? ` ${Math.floor((seconds % 3600) / 60)} min` : ""}`;
  return `${Math.floor(seconds / 86400)} days`;
}

// How long ago a time was, in seconds since 1970.
export function ago(time, now = Date.now() / 1000) {
  if (!time) return "";
  const since = Math.max(0, now - time);
  if (since < 10) return "just now";
  const [size, name] = since < 60 ? [1, "s"] : since < 3600 ? [60, "min"] : since < 172800 ? [3600, "h"] : [86400, "days"];
  return `${Math.floor(since / size)} ${name} ago`;
}

// The data's name without the folders before it.
export const origin = (run) => (run.data || "").split(",").map((part) => part.replace(/[\\/]+$/, "").split(/[\\/]/).at(-1)).join(", ");

// An item's shape as people say it.
export function shape(run) {
  const size = Array.isArray(run.shape) ? run.shape : [];
  if (run.kind === "tables") return "table";
  if (size.length === 3) return `${size[2]} × ${size[1]} pixels${size[0] === 1 ? ", grey" : size[0] === 4 ? ", RGBA" : ""}`;
  return size.length === 1 ? `${size[0]} number${size[0] === 1 ? "" : "s"} an item` : "";
}

export const STATES = {
  training: "Training now",
  starting: "Starting",
  finished: "Finished",
  stopped: "Stopped by the guard",
  interrupted: "Interrupted",
  empty: "Not begun",
  damaged: "Cannot be read",
};

// Where a run stands, in a sentence.
export function standing(run) {
  const steps = run.total ? `step ${count(run.step)} of ${run.planned ? "about " : ""}${count(run.total)}` : `step ${count(run.step)}`;
  const time = run.planned ? `${duration(run.seconds)} of ${duration(run.planned)}` : duration(run.seconds);
  if (run.state === "damaged") return run.error;
  if (run.state === "empty" || run.state === "starting") return `nothing logged yet, begun ${ago(run.changed)}`;
  if (run.state === "training") return `${steps}, ${time}${run.rate ? `, ${count(run.rate)} items/s` : ""}`;
  if (run.state === "interrupted") return `${steps} in ${duration(run.seconds)}, last heard of ${ago(run.changed)}`;
  return `${count(run.step)} steps in ${duration(run.seconds)}, ${ago(run.changed)}`;
}
