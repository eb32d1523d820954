// A place for a picture: drop it, choose it, or paste it while the place has the focus.
import { el } from "../dom.js";

// `taken(file)` is called with each file; it may be async, and what it throws goes to `wrong`.
export function drop({ label, taken, wrong, accept = "image/*,.npy" }) {
  const input = el("input", { type: "file", accept, class: "drop-file", "aria-label": label });
  const shown = el("img", { class: "drop-shown", alt: "", hidden: true });
  const hint = el("span", { class: "soft" }, "Drop a picture here, or paste one");
  const place = el("label", { class: "drop" }, el("strong", {}, label), shown, hint, el("span", { class: "drop-button", "aria-hidden": "true" }, "Choose a file"), input);

  async function take(file) {
    if (!file) return;
    place.classList.add("waits");
    try {
      wrong(null);
      await taken(file);
      hint.textContent = file.name || "from the clipboard";
    } catch (error) {
      wrong(error);
    }
    place.classList.remove("waits");
    input.value = ""; // the same file may be chosen again
  }

  const first = (data) => [...((data && data.files) || [])][0];
  input.addEventListener("change", () => take(input.files[0]));
  place.addEventListener("dragover", (event) => {
    event.preventDefault();
    place.classList.add("over");
  });
  place.addEventListener("dragleave", () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("over");
    take(first(event.dataTransfer));
  });
  place.addEventListener("paste", (event) => take(first(event.clipboardData)));

  return {
    node: place,
    show(url, alt) {
      shown.src = url;
      shown.alt = alt;
      shown.hidden = false;
    },
  };
}
