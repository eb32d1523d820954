// Undo and redo: the browser's own history, with the places in it that this panel has written.
const ONE = 1000; // milliseconds within which moves of one slider are one act: a key that is held down is undone at once

export function trail(context, changed) {
  let places = [location.hash];
  let here = 0;
  let last = { hand: null, at: 0 };
  const moved = () => {
    const near = [here - 1, here + 1, ...places.keys()].find((i) => places[i] === location.hash);
    if (near === undefined) [places, here] = [[location.hash], 0];
    else here = near;
    last = { hand: null, at: 0 };
    changed();
  };
  return {
    // hand: what moved, where it may move again right away; null for an act of its own.
    keep(values, hand = null) {
      const now = performance.now();
      const again = hand !== null && hand === last.hand && now - last.at < ONE && here > 0;
      last = { hand, at: now };
      context.keep(values, again);
      if (location.hash === places[here]) return;
      if (again) return void (places[here] = location.hash);
      places = [...places.slice(0, here + 1), location.hash];
      here += 1;
    },
    moved,
    back: () => here > 0 && history.back(),
    forward: () => here < places.length - 1 && history.forward(),
    first: () => here === 0,
    last: () => here === places.length - 1,
  };
}
