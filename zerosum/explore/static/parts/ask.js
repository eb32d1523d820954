// A form for rows that are what is asked, built from what the server says of the columns.
import { el } from "../dom.js";

const MISSING = "(missing)";

// One column: {node, read() -> null | {values} | {low, high}, fill(asked)}
function field(one) {
  const gone = one.missing && one.ask !== "values" ? el("input", { type: "checkbox" }) : null;
  const missing = gone ? el("label", {}, gone, ` ${MISSING}`) : null;
  if (one.ask === "values") {
    const boxes = [...one.values, ...(one.missing ? [null] : [])].map((value) => {
      const box = el("input", { type: "checkbox" });
      return { value, box, node: el("label", {}, box, ` ${value === null ? MISSING : value} `) };
    });
    return {
      node: el("fieldset", {}, el("legend", {}, one.name), boxes.map(({ node }) => node)),
      read() {
        const values = boxes.filter(({ box }) => box.checked).map(({ value }) => value);
        return values.length && values.length < boxes.length ? { values } : null;
      },
      fill: (asked) => boxes.forEach(({ box, value }) => (box.checked = Boolean(asked && asked.values && asked.values.includes(value)))),
    };
  }
  if (one.ask === "word") {
    const id = `values-${Math.random().toString(36).slice(2)}`;
    const word = el("input", { type: "text", list: id, "aria-label": one.name, placeholder: `one of ${one.values.length + one.more}` });
    return {
      node: el("fieldset", {}, el("legend", {}, one.name), word, el("datalist", { id }, one.values.map((value) => el("option", { value }))), missing),
      read: () => (gone && gone.checked ? { values: [null] } : word.value ? { values: [word.value] } : null),
      fill(asked) {
        const value = asked && asked.values ? asked.values[0] : "";
        if (gone) gone.checked = value === null;
        word.value = value || "";
      },
    };
  }
  const kind = one.ask === "date" ? "date" : "number";
  const ends = ["least", "greatest"].map((name, i) =>
    el("input", { type: kind, step: kind === "number" ? (one.kind === "integer" ? "1" : "any") : null, "aria-label": `${one.name}, ${name}`, placeholder: kind === "number" ? String(i ? one.high : one.low) : null })
  );
  const value = (end) => (end.value === "" ? null : kind === "number" ? Number(end.value) : end.value);
  return {
    node: el("fieldset", {}, el("legend", {}, one.name), ends[0], " to ", ends[1], missing),
    read() {
      if (gone && gone.checked) return { values: [null] };
      const [low, high] = ends.map(value);
      return low === null && high === null ? null : { low, high };
    },
    fill(asked) {
      if (gone) gone.checked = Boolean(asked && asked.values);
      ends[0].value = asked && asked.low !== null && asked.low !== undefined ? asked.low : "";
      ends[1].value = asked && asked.high !== null && asked.high !== undefined ? asked.high : "";
    },
  };
}

export function form(fields) {
  const parts = fields.map((one) => ({ name: one.name, ...field(one) }));
  return {
    node: el("div", { class: "asks" }, parts.map(({ node }) => node)),
    read: () => Object.fromEntries(parts.map((one) => [one.name, one.read()]).filter(([, asked]) => asked)),
    fill: (where) => parts.forEach((one) => one.fill(Object.hasOwn(where, one.name) ? where[one.name] : null)),
  };
}
