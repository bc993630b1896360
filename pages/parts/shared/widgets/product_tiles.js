// Products in their order, as tiles. Everything is set as text, never as HTML.
export default function ({ parentElement, data }) {
  const list = parentElement.querySelector("[data-part=tiles]");
  list.setAttribute("aria-label", data.label);
  list.replaceChildren(
    ...data.tiles.map(({ id, name, asked }) => {
      const tile = document.createElement("li");
      if (asked) tile.className = "asked";
      const code = document.createElement("code");
      code.textContent = id || "(empty)";
      tile.append(code);
      if (name) {
        const words = document.createElement("span");
        words.textContent = name;
        tile.append(words);
      }
      return tile;
    }),
  );
}
