// Rows that can be opened. All text is set as text, never as HTML. Rows wait while the pointer is on the table.
const make = (name, attributes = {}, ...children) => {
  const node = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) node.setAttribute(attribute, value);
  node.append(...children);
  return node;
};

const makeRow = ({ key, cells, tone }, toneColumn, open) => {
  const row = make("tr", { "data-key": key });
  cells.forEach((text, column) => {
    const cell = make("td", column === toneColumn && tone ? { class: tone } : {});
    if (column === 1) {
      const button = make("button", { type: "button" }, text);
      button.onclick = () => open(key);
      cell.append(button);
    } else cell.append(text);
    row.append(cell);
  });
  row.ondblclick = () => open(key);
  return row;
};

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector("[data-part=rows]");
  const state = (parentElement.rows ??= {});
  state.open = (key) => setTriggerValue("opened", key);
  state.data = data;
  const held = () => state.note && root.matches(":hover");
  const drawRows = () => {
    const written = JSON.stringify(state.data);
    if (state.written === written) return;
    if (held()) {
      state.note.textContent = "Newer rows are held while the pointer is on the table.";
      return;
    }
    state.written = written;
    const focused = root.querySelector("button:focus")?.closest("tr").dataset.key;
    const scrolled = root.querySelector(".frame")?.scrollTop ?? 0;
    const { label, heads, rows, toneColumn } = state.data;
    const head = make("thead", {}, make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text))));
    const body = make("tbody", {}, ...rows.map((row) => makeRow(row, toneColumn, (key) => state.open(key))));
    const frame = make("div", { class: "frame", role: "region", tabindex: 0, "aria-label": label }, make("table", {}, head, body));
    state.note = make("p", {});
    root.replaceChildren(frame, state.note);
    frame.scrollTop = scrolled;
    if (focused) root.querySelector(`tr[data-key="${CSS.escape(focused)}"] button`)?.focus({ preventScroll: true });
  };
  root.onmouseleave = drawRows;
  drawRows();
}
