// The page's state is its address: #/RUN/PANEL?name=value. Going back undoes; sending the address shares.
export function read(hash = location.hash) {
  const [place, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [run = "", panel = ""] = place.split("/").map(decodeURIComponent);
  return { run, panel, values: Object.fromEntries(new URLSearchParams(query)) };
}

export function write({ run = "", panel = "", values = {} }, replace = false) {
  const kept = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const query = new URLSearchParams(kept).toString();
  const place = [run, panel].filter((part) => part !== "").map(encodeURIComponent).join("/");
  const hash = `#/${place}${query ? `?${query}` : ""}`;
  if (hash === location.hash) return;
  history[replace ? "replaceState" : "pushState"](null, "", hash);
}
