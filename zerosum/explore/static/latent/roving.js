// Arrow keys within a group of buttons that stand in rows: the group is one stop of the Tab key.
export function roving(group) {
  const all = () => [...group.querySelectorAll("button")];
  const stop = (at) => all().forEach((button, i) => (button.tabIndex = i === at ? 0 : -1));
  // How many stand in a row.
  const columns = (buttons) => {
    const second = buttons.findIndex((button) => button.offsetTop > buttons[0].offsetTop);
    return second < 0 ? buttons.length : second;
  };

  group.addEventListener("focusin", (event) => stop(all().indexOf(event.target.closest("button"))));
  group.addEventListener("keydown", (event) => {
    const buttons = all();
    const at = buttons.indexOf(document.activeElement);
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const wide = columns(buttons);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + wide, ArrowUp: at - wide, Home: 0, End: buttons.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    buttons[to]?.focus();
  });

  return {
    // New buttons; a focus that was in the group stays where it was.
    fill(buttons) {
      const at = all().indexOf(document.activeElement);
      group.replaceChildren(...buttons);
      stop(0);
      if (at >= 0) buttons[Math.min(at, buttons.length - 1)]?.focus();
    },
  };
}
