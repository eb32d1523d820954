// A table: real against generated, rows that are what is asked, and what the table gives away.
import { ask, path } from "../api.js";
import { el } from "../dom.js";
import { form } from "../parts/ask.js";
import { marginal } from "../parts/marginal.js";
import { matrix } from "../parts/matrix.js";
import { sheet } from "../parts/sheet.js";

const section = (id, title, ...children) => el("section", { "aria-labelledby": id }, el("h2", { id }, title), children);

function columns(about) {
  if (!about.columns.length) {
    const how = about.claim
      ? "Nothing is kept of real rows beside generated ones: to compare them would read private rows without noise."
      : "This folder has no table.json yet: it is written at the end of training, and by “zerosum score”.";
    return section("columns", "Columns", el("p", { class: "soft" }, how));
  }
  const pairs = about.pairs;
  const away = pairs && pairs.real.map((row, i) => row.map((value, j) => pairs.made[i][j] - value));
  return section(
    "columns", "Columns",
    el("p", { class: "soft" }, "Grey: real training rows. Blue: generated rows. The first and last bar of a number hold all that lies beyond."),
    el("div", { class: "marginals" }, about.columns.map(marginal)),
    pairs && el("h3", {}, "How columns hang together"),
    pairs && el("p", { class: "soft" }, "Correlation of two numbers (red: rise together, blue: one falls as the other rises), Cramér's V of all other pairs. The third picture should be blank."),
    pairs && el("div", { class: "matrices" },
      [["real", pairs.real], ["generated", pairs.made], ["difference", away]].map(([title, values]) => matrix({ title, names: pairs.names, values })))
  );
}

function privacy(about) {
  const claim = about.claim;
  const scores = about.scores.map((one) => {
    const interval = one.low !== null && one.high !== null ? ` (${one.low.toFixed(3)} to ${one.high.toFixed(3)})` : "";
    const beside = [["real rows", one.real], ["drawn column by column", one.trivial]].filter(([, value]) => value !== null);
    return el("li", {}, el("b", {}, one.name), ` ${one.value.toFixed(3)}${interval}, ${one.better} is better`,
      beside.length ? `; ${beside.map(([name, value]) => `${name} ${value.toFixed(3)}`).join(", ")}` : "",
      el("details", {}, el("summary", {}, "how it was measured"), el("p", { class: "soft" }, one.protocol || "")));
  });
  return section(
    "privacy", "What the table gives away",
    claim && el("p", {}, el("b", {}, `Differential privacy: epsilon ${claim.spent.toPrecision(4)} at delta ${claim.delta.toPrecision(2)}. `),
      "One row, there or not, hardly changes what is published, whatever else an attacker knows.",
      about.scores.length || about.columns.length ? " Scores and drawings compare with rows and are not covered." : ""),
    claim && el("ul", {}, claim.reads.map((one) => el("li", {}, `${one.what}: ${one.mechanism}, epsilon ${one.epsilon.toFixed(3)}`))),
    claim && claim.audit ? el("p", {}, `Audit: ${claim.audit}.`) : null,
    about.verdict ? el("p", {}, about.verdict) : null,
    el("ul", { class: "findings" }, about.findings.map((one) => el("li", { class: one.leak ? "leak" : "" }, el("b", {}, one.leak ? "Leak: " : "No leak found: "), one.words))),
    !about.findings.length && !claim ? el("p", { class: "soft" }, "This run has no privacy scores yet: “zerosum score” takes them. No promise is made either: train with --dp-epsilon for one.") : null,
    scores.length ? el("details", {}, el("summary", {}, `All scores, taken at step ${Number(about.scored_at).toLocaleString("en")}`), el("ul", {}, scores)) : null
  );
}

function sampling(about, context) {
  const { run, say, wrong } = context;
  const fields = form(about.fields);
  const count = el("input", { type: "number", min: "1", max: String(about.most), value: "1000" });
  const seed = el("input", { type: "number", min: "0", value: "0" });
  const told = el("p", { "aria-live": "polite" });
  const rows = el("div", { class: "wide", tabIndex: 0, role: "region", "aria-label": "Sampled rows" });
  const buttons = [el("button", { type: "submit", class: "main" }, "Sample"), el("button", { type: "button", onclick: () => file(false).catch(wrong) }, "Download CSV"), el("button", { type: "button", title: "A .csv.gz has room for a note of what made it; “zerosum inspect” reads it", onclick: () => file(true).catch(wrong) }, "CSV with its origin (.gz)")];

  const wish = () => ({ n: Number(count.value), seed: Number(seed.value), where: fields.read() });
  async function busy(task) {
    wrong(null);
    buttons.forEach((one) => (one.disabled = true));
    try {
      return await task();
    } finally {
      buttons.forEach((one) => (one.disabled = false));
    }
  }
  async function sample() {
    const asked = wish();
    context.keep({ where: Object.keys(asked.where).length ? JSON.stringify(asked.where) : "", seed: asked.seed || "" });
    const found = await busy(() => ask(path(run, "table", "sample"), { json: { ...asked, n: 20 } }));
    told.textContent = `${found.rows.length} rows; ${found.words}.`;
    rows.replaceChildren(
      el("table", {}, el("thead", {}, el("tr", {}, found.columns.map((name) => el("th", { scope: "col" }, name)))),
        el("tbody", {}, found.rows.map((row) => el("tr", {}, row.map((value) => el("td", {}, value))))))
    );
  }
  async function file(packed) {
    const blob = await busy(() => ask(path(run, "table", "csv"), { json: { ...wish(), packed } }));
    const link = el("a", { href: URL.createObjectURL(blob), download: `${run}-rows.csv${packed ? ".gz" : ""}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    say("the file is made");
  }
  function restore() {
    const { where, seed: kept } = context.values();
    seed.value = kept || "0";
    try {
      fields.fill(where ? JSON.parse(where) : {});
    } catch {
      fields.fill({}); // an address that somebody has changed by hand
    }
  }
  restore();
  const node = section(
    "sample", "Rows that are what you ask",
    el("p", { class: "soft" }, "Leave a column empty to let it be anything. Rare conditions are told to the generator where it understands them, and waited for where it does not."),
    el("form", { onsubmit: (event) => {
      event.preventDefault();
      sample().catch(wrong);
    } }, fields.node, el("div", { class: "row" }, el("label", {}, "Seed ", seed), el("label", {}, "Rows in the file ", count), buttons)),
    told, rows
  );
  return { node, restore };
}

export async function show(root, context) {
  await sheet("parts/parts.css");
  const about = await ask(path(context.run, "table"));
  const asked = sampling(about, context);
  root.append(
    el("p", { class: "soft" }, `${about.rows.toLocaleString("en")} training rows${about.target ? `; ${about.target} is to be predicted` : ""}`),
    asked.node, columns(about), privacy(about)
  );
  addEventListener("moved", asked.restore);
  return () => removeEventListener("moved", asked.restore);
}
