// Undo and redo: the browser's own history, with the places in it that this panel has written.
export function trail(context, changed) {
  let places = [location.hash];
  let here = 0;
  const moved = () => {
    const near = [here - 1, here + 1, ...places.keys()].find((i) => places[i] === location.hash);
    if (near === undefined) [places, here] = [[location.hash], 0];
    else here = near;
    changed();
  };
  return {
    keep(values) {
      context.keep(values);
      if (location.hash === places[here]) return;
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
