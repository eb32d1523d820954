// A run over its training: samples, or points in the plane, and every curve, on one axis of steps; live while it trains.
import { path } from "../api.js";
import { row } from "../charts/score.js";
import { el } from "../dom.js";
import { count, origin, shape, standing, STATES } from "../format.js";
import { poll } from "../poll.js";
import { curves } from "../watch/curves.js";
import { pictures } from "../watch/pictures.js";
import { plane } from "../watch/plane.js";
import { player } from "../watch/player.js";

export async function show(root, context) {
  const { run } = context;
  let story = null;
  let drawn = { node: null, point() {} };
  let at = null; // the step that is looked at; null: the newest

  const badge = el("span", {});
  const head = el("div", { class: "watched" }, el("h2", {}, run, " ", badge));
  const what = el("p", { class: "soft" });
  const where = el("p", {});
  const bar = el("progress", { max: 1, hidden: true, "aria-label": "Share of the training that is done" });
  head.append(what, where, bar);
  const stage = el("section", { class: "moments", "aria-label": "Samples over time" });
  const lines = el("section", { class: "lines", "aria-label": "Curves" });
  const acts = el("section", { "aria-label": "What the guard did" });
  const more = el("section", { "aria-label": "Scores and settings" });
  root.append(head, el("div", { class: "watch" }, stage, lines), acts, more);

  const sheets = pictures(run);
  const points = plane(run);
  const play = player({ moved, hint: "arrow keys move, space plays" });
  const empty = el("p", { class: "empty" });
  stage.append(sheets.node, points.node, play.node, empty);
  const keys = addKeys(play);

  function moments() {
    return story.frames.length ? story.frames : story.pictures;
  }

  function moved(step, follows) {
    if (step === undefined) return;
    at = follows ? null : step;
    context.keep({ ...context.values(), step: follows ? "" : step }, true);
    drawn.point(at);
    const [, mark] = moments().find(([one]) => one === step) || [];
    if (mark === undefined) return;
    if (story.frames.length) points.show(step, mark).catch(context.wrong);
    else sheets.show(step, mark);
  }

  function draw() {
    badge.className = `badge ${story.state}`;
    badge.textContent = STATES[story.state] || story.state;
    what.textContent = [story.recipe, origin(story), shape(story), story.classes > 1 ? `${story.classes} classes` : ""].filter(Boolean).join(" · ");
    what.title = story.data || "";
    const [flat, any] = [story.frames.length > 0, story.pictures.length + story.frames.length > 0];
    sheets.node.hidden = flat || !any;
    points.node.hidden = !flat;
    play.node.hidden = moments().length < 2;
    empty.hidden = any;
    empty.textContent = story.state === "training" || story.state === "starting" ? "No sample picture yet: the first comes soon." : "No sample pictures were kept (--pictures 0, or none was reached).";
    const asked = context.values().step;
    play.take(moments().map(([step]) => step), at === null && asked && Number.isFinite(Number(asked)) ? Number(asked) : null);
    drawn = curves(story, play.to);
    lines.replaceChildren(Object.keys(story.lines).length ? drawn.node : el("p", { class: "empty" }, "No curves yet: the first line of the log is not written."));
    drawn.point(at);
    guarded();
    details();
  }

  function guarded() {
    acts.replaceChildren(
      ...(story.acts.length
        ? [el("h3", {}, "What the guard did"), el("ol", { class: "acts" }, story.acts.map((act) => el("li", {}, el("button", { type: "button", onclick: () => play.to(act.to) }, `step ${count(act.step)}`), " ", act.note)))]
        : [])
    );
  }

  function details() {
    const open = more.querySelector("details")?.open;
    const groups = ["settings", "training", "parameters", "machine"].filter((name) => story[name] && Object.keys(story[name]).length);
    const cell = (value) => (typeof value === "string" ? value : JSON.stringify(value));
    const scores = story.scores.length ? [el("h3", {}, "Scores"), el("ul", { class: "scores" }, story.scores.map(row))] : [];
    more.replaceChildren(
      ...scores,
      ...(groups.length
        ? [el("details", { open }, el("summary", {}, "Settings"), el("div", { class: "settings" }, groups.map((name) => el("table", {}, el("caption", {}, name), el("tbody", {}, Object.entries(story[name]).map(([key, value]) => el("tr", {}, el("th", { scope: "row" }, key), el("td", {}, cell(value)))))))))]
        : [])
    );
  }

  let state = "";
  const polling = poll(
    path(run, "watch"),
    (answer, fresh) => {
      if (fresh) {
        story = answer;
        draw();
        if (state && state !== story.state) context.say(`${run}: ${STATES[story.state]}`);
        state = story.state;
      }
      if (!story) return;
      where.textContent = standing(story);
      where.className = story.error ? "bad" : "soft";
      bar.hidden = story.state !== "training" || !story.share;
      bar.value = story.share || 0;
    },
    { every: () => (story && ["training", "starting"].includes(story.state) ? 1000 : 4000), failed: context.wrong }
  );
  const back = () => context.values().step && play.to(Number(context.values().step));
  addEventListener("moved", back);
  await polling.first;
  return () => {
    polling.stop();
    play.stop();
    sheets.end();
    points.end();
    keys();
    removeEventListener("moved", back);
  };
}

// Arrow keys and space, where nothing else has them.
function addKeys(play) {
  const press = (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || !(event.target === document.body || event.target.id === "main")) return;
    const does = { ArrowLeft: () => play.by(-1), ArrowRight: () => play.by(1), Home: () => play.by(-1e9), End: () => play.by(1e9), " ": play.toggle }[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  };
  document.addEventListener("keydown", press);
  return () => document.removeEventListener("keydown", press);
}
