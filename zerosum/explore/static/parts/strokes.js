// A mask as the list of what was done to it, so that any step can be undone without keeping pictures.

// {kind: "stroke", points: [[x, y], ...], size, erase} | {kind: "box", x, y, width, height} | {kind: "invert"} | {kind: "clear"}
export function paint(canvas, acts) {
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.globalCompositeOperation = "source-over";
  pen.clearRect(0, 0, canvas.width, canvas.height);
  for (const act of acts) add(canvas, act);
}

export function add(canvas, act) {
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const { width, height } = canvas;
  pen.fillStyle = pen.strokeStyle = "#ff2f92";
  pen.globalCompositeOperation = "source-over";
  if (act.kind === "clear") pen.clearRect(0, 0, width, height);
  if (act.kind === "box") pen.fillRect(act.x, act.y, act.width, act.height);
  if (act.kind === "invert") {
    pen.globalCompositeOperation = "source-out"; // what was painted becomes clear, and the rest painted
    pen.fillRect(0, 0, width, height);
  }
  if (act.kind === "stroke") {
    pen.globalCompositeOperation = act.erase ? "destination-out" : "source-over";
    pen.lineWidth = act.size;
    pen.lineCap = pen.lineJoin = "round";
    pen.beginPath();
    const [first, ...rest] = act.points;
    pen.moveTo(...first);
    for (const point of rest.length ? rest : [first]) pen.lineTo(...point);
    pen.stroke();
  }
}

// Which pixels are in the mask: those that are more painted than not. Returns [canvas of black and white, share painted].
export function harden(canvas) {
  const { width, height } = canvas;
  const pixels = canvas.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, width, height);
  let count = 0;
  for (let i = 0; i < pixels.data.length; i += 4) {
    const level = pixels.data[i + 3] > 127 ? 255 : 0;
    pixels.data[i] = pixels.data[i + 1] = pixels.data[i + 2] = level;
    pixels.data[i + 3] = 255;
    count += level > 0;
  }
  const hard = document.createElement("canvas");
  Object.assign(hard, { width, height });
  hard.getContext("2d").putImageData(pixels, 0, 0);
  return [hard, count / (width * height)];
}
