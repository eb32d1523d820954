// A run in the list: what it is, where it stands, what it is worth, its newest picture.
import { path } from "../api.js";
import { spark } from "../charts/chart.js";
import { row } from "../charts/score.js";
import { el } from "../dom.js";
import { number, origin, shape, standing, STATES } from "../format.js";

const FEW = 4; // scores that are seen at once

export function card(run, { chosen, choose }) {
  const box = el("input", { type: "checkbox", checked: chosen, onchange: () => choose(run.name, box.checked) });
  const link = el("a", { href: `#/${encodeURIComponent(run.name)}` }, run.name);
  const badge = el("span", {});
  const body = el("div", { class: "body" });
  const thumb = el("a", { class: "thumb", href: link.getAttribute("href"), tabindex: "-1", "aria-hidden": "true" });
  const compare = el("label", { class: "compares" }, box, " Compare");
  const node = el("article", { class: "run", "aria-label": run.name }, thumb, el("div", { class: "head" }, el("h3", {}, link), badge), body, compare);
  let seen = "";
  let shown = "";

  function picture(now) {
    const mark = now.picture && now.picture.length ? `${path(now.name, "watch", "picture", now.picture[0][0])}?v=${now.picture[0][1]}` : "";
    if (mark === shown) return;
    shown = mark;
    if (!mark) return void thumb.replaceChildren(el("span", { class: "soft" }, "no picture yet"));
    const image = el("img", { src: mark, alt: "", loading: "lazy", onload: () => image.classList.toggle("small", image.naturalWidth < 200) });
    image.addEventListener("error", () => thumb.replaceChildren(el("span", { class: "soft" }, "its picture cannot be shown")));
    thumb.replaceChildren(image);
  }

  function details(now) {
    const what = [now.recipe, origin(now), shape(now), now.classes > 1 ? `${now.classes} classes` : "", now.private ? "differentially private" : ""];
    const live = now.state === "training";
    const lines = Object.entries(now.lines).filter(([, points]) => points[0].length > 1).map(([name, [steps, values]]) => ({ name, steps, values }));
    const said = lines.length ? `Curves: ${lines.map((line) => `${pretty(line.name)} ${number(line.values.at(-1))}`).join(", ")}` : "";
    const scores = now.scores || [];
    return [
      now.error ? null : el("p", { class: "what", title: now.data }, what.filter(Boolean).join(" · ")),
      el("p", { class: now.error ? "bad" : "soft" }, standing(now)),
      live && now.share ? el("progress", { max: 1, value: now.share, "aria-label": "Share of the training that is done" }) : null,
      now.act && !now.error ? el("p", { class: "act" }, `The guard: ${now.act.note}`) : null,
      lines.length ? el("div", { class: "curves" }, spark(lines, said), el("p", { class: "keys" }, lines.map((line, i) => el("span", { class: `key c${i}` }, pretty(line.name), " ", el("b", {}, number(line.values.at(-1))))))) : null,
      scores.length ? el("ul", { class: "scores" }, scores.slice(0, FEW).map(row)) : null,
      scores.length > FEW ? el("p", { class: "soft" }, `and ${scores.length - FEW} more: Compare shows them`) : null,
      now.state === "interrupted" || now.state === "empty" ? el("p", { class: "soft" }, "Go on with ", el("code", {}, `zerosum train --resume ${now.name}`)) : null,
    ].filter(Boolean);
  }

  function update(now) {
    badge.className = `badge ${now.state}`;
    badge.textContent = STATES[now.state] || now.state;
    const words = JSON.stringify([now, standing(now)]);
    if (words === seen) return;
    seen = words;
    picture(now);
    compare.hidden = Boolean(now.error);
    body.replaceChildren(...details(now));
  }

  update(run);
  return { node, update, check: (yes) => (box.checked = yes) };
}

export function pretty(name) {
  if (name.endsWith("/logit_real")) return "D(real)";
  if (name.endsWith("/logit_fake")) return "D(fake)";
  return name;
}
