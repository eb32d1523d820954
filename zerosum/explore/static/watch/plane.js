// Points in the plane: real ones, generated ones, and what D says of every place. Between two moments points glide.
import { ask, path } from "../api.js";
import { el } from "../dom.js";
import { count } from "../format.js";

const SIDE = 560;
const GLIDE = 350; // milliseconds
const LAYERS = { surface: "what D says", real: "real points", fake: "generated points" };

export function plane(run) {
  const canvas = el("canvas", { width: SIDE, height: SIDE, role: "img", class: "plane" });
  const boxes = Object.fromEntries(Object.keys(LAYERS).map((name) => [name, el("input", { type: "checkbox", checked: true, onchange: () => draw() })]));
  const legend = el("p", { class: "legend" }, Object.entries(LAYERS).map(([name, words]) => el("label", { class: `layer ${name}` }, boxes[name], " ", el("span", {}, words))));
  const scale = el("p", { class: "soft" });
  const node = el("div", { class: "sheet" }, canvas, legend, scale);
  const kept = new Map();
  let real = [];
  let now = null;
  let frame = 0;
  let wanted = "";
  let asked = false;

  async function show(step, mark) {
    wanted = `${step}-${mark}`;
    const mine = wanted;
    if (!asked) {
      asked = true;
      real = (await ask(path(run, "watch", "real"))).points;
    }
    if (!kept.has(mine)) kept.set(mine, await ask(path(run, "watch", "frame", step)));
    if (mine !== wanted) return;
    const next = kept.get(mine);
    canvas.setAttribute("aria-label", `At step ${count(step)}: ${next.fake.length} generated points among ${real.length} real ones${next.surface ? ", over what D says of every place" : ""}`);
    glide(next);
  }

  function glide(next) {
    cancelAnimationFrame(frame);
    const before = now;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (!before || still || before.fake.length !== next.fake.length || (before.surface === null) !== (next.surface === null)) {
      now = next;
      return draw();
    }
    const begun = performance.now();
    const tick = (time) => {
      const share = Math.min(1, (time - begun) / GLIDE);
      now = share < 1 ? between(before, next, share * share * (3 - 2 * share)) : next;
      draw();
      if (share < 1) frame = requestAnimationFrame(tick);
    };
    frame = requestAnimationFrame(tick);
  }

  function draw() {
    if (!now) return;
    const pen = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    const colour = (name) => style.getPropertyValue(name).trim();
    const [left, right, low, high] = now.extent;
    const place = ([x, y]) => [((x - left) / (right - left)) * SIDE, (1 - (y - low) / (high - low)) * SIDE];
    pen.fillStyle = colour("--card");
    pen.fillRect(0, 0, SIDE, SIDE);
    if (now.surface && boxes.surface.checked) paint(pen, now.surface, colour);
    const dots = (points, fill, size) => {
      pen.fillStyle = fill;
      for (const point of points) {
        const [x, y] = place(point);
        pen.beginPath();
        pen.arc(x, y, size, 0, 7);
        pen.fill();
      }
    };
    if (boxes.real.checked) dots(real, colour("--real"), 3);
    if (boxes.fake.checked) dots(now.fake, colour("--fake"), 3);
    scale.textContent = now.surface && boxes.surface.checked ? "The brighter a place, the more real D takes it to be; the line is where D is in between." : "";
  }

  // D's opinion from low to high, by its order of size within the picture: critics have no fixed range.
  function paint(pen, rows, colour) {
    const n = rows.length;
    const all = rows.flat().sort((a, b) => a - b);
    const [low, high] = [all[Math.floor(0.02 * all.length)], all[Math.ceil(0.98 * all.length) - 1]];
    const [dark, light] = [rgb(colour("--said-fake")), rgb(colour("--said-real"))];
    const small = el("canvas", { width: n, height: n });
    const image = new ImageData(n, n);
    rows.forEach((row, i) =>
      row.forEach((value, j) => {
        const share = high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) : 0.5;
        const at = 4 * ((n - 1 - i) * n + j); // the first row is the lowest
        for (let c = 0; c < 3; c++) image.data[at + c] = dark[c] + share * (light[c] - dark[c]);
        image.data[at + 3] = 255;
      })
    );
    small.getContext("2d").putImageData(image, 0, 0);
    pen.imageSmoothingEnabled = true;
    const edge = SIDE / (n - 1) / 2; // values are of grid points: the outer ones lie on the picture's edge
    pen.drawImage(small, -edge, -edge, SIDE + 2 * edge, SIDE + 2 * edge);
    contour(pen, rows, (low + high) / 2, colour("--ink"));
  }

  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", draw);
  return {
    node,
    show,
    end() {
      cancelAnimationFrame(frame);
      dark.removeEventListener("change", draw);
    },
  };
}

// Straight lines from one frame to the next: generated points keep their noise, so the same ones are joined.
function between(a, b, share) {
  const mix = (x, y) => x + share * (y - x);
  return {
    extent: a.extent.map((value, i) => mix(value, b.extent[i])),
    fake: a.fake.map(([x, y], i) => [mix(x, b.fake[i][0]), mix(y, b.fake[i][1])]),
    surface: a.surface && a.surface.length === b.surface.length ? a.surface.map((row, i) => row.map((value, j) => mix(value, b.surface[i][j]))) : b.surface,
  };
}

function rgb(hex) {
  const value = parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

// Marching squares: where the surface crosses a level.
function contour(pen, rows, level, colour) {
  const n = rows.length;
  const cell = SIDE / (n - 1);
  pen.strokeStyle = colour;
  pen.globalAlpha = 0.5;
  pen.beginPath();
  for (let i = 0; i + 1 < n; i++)
    for (let j = 0; j + 1 < n; j++) {
      const corners = [[j, i], [j + 1, i], [j + 1, i + 1], [j, i + 1]];
      const cuts = [];
      corners.forEach(([x, y], k) => {
        const [x2, y2] = corners[(k + 1) % 4];
        const [a, b] = [rows[y][x] - level, rows[y2][x2] - level];
        if (a < 0 !== b < 0) cuts.push([x + (a / (a - b)) * (x2 - x), y + (a / (a - b)) * (y2 - y)]);
      });
      for (let k = 0; k + 1 < cuts.length; k += 2) {
        pen.moveTo(cuts[k][0] * cell, SIDE - cuts[k][1] * cell);
        pen.lineTo(cuts[k + 1][0] * cell, SIDE - cuts[k + 1][1] * cell);
      }
    }
  pen.stroke();
  pen.globalAlpha = 1;
}
