// Products in their order, as tiles. Everything is set as text, never as HTML. The links are real ones, so that a
// middle click opens another tab.
export default function ({ parentElement, data, setTriggerValue }) {
  const text = JSON.stringify(data);
  if (parentElement.shown === text) return;
  parentElement.shown = text;
  const list = parentElement.querySelector("[data-part=tiles]");
  list.setAttribute("aria-label", data.label);
  list.replaceChildren(
    ...data.tiles.map(({ id, name, asked, place, link }) => {
      const tile = document.createElement("li");
      if (asked) tile.className = "asked";
      const code = document.createElement("code");
      code.textContent = id || "(empty)";
      if (link) {
        const anchor = document.createElement("a");
        anchor.href = `${link.path}?${new URLSearchParams(link.params)}`;
        anchor.title = link.label;
        anchor.append(code);
        anchor.onclick = (event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          setTriggerValue("opened", place);
        };
        tile.append(anchor);
      } else tile.append(code);
      if (name) {
        const words = document.createElement("span");
        words.textContent = name;
        tile.append(words);
      }
      return tile;
    }),
  );
}
