// A table whose rows open something. Its links are real ones, so that a middle click opens another tab. All text is set
// as text, never as HTML.
const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) node.setAttribute(name, value);
  node.append(...children);
  return node;
};

const fill = (node, { text, badges, note, fixed }) => {
  if (text) node.append(make("span", { class: fixed ? "fixed" : undefined, dir: "auto" }, text));
  for (const [badge, colour] of badges) node.append(make("span", { class: `badge ${colour}` }, badge));
  if (note) node.append(make("span", { class: "note", dir: "auto" }, note));
};

const makeHead = (data, setTriggerValue) => {
  const head = make("tr");
  if (data.maxTicked) head.append(make("th", { scope: "col", class: "tick" }, make("span", { class: "unseen" }, "Compare")));
  for (const { label, sort, number } of data.columns) {
    const cell = make("th", { scope: "col", class: number ? "number" : undefined });
    if (sort) {
      const isSorted = sort === data.sort;
      const arrow = make("span", { "aria-hidden": "true" }, isSorted ? (data.descending ? " ▾" : " ▴") : " ↕");
      const button = make("button", { type: "button", "data-focus": `sort ${sort}` }, label, arrow);
      button.onclick = () => setTriggerValue("sort", sort);
      cell.append(button);
      if (isSorted) cell.setAttribute("aria-sort", data.descending ? "descending" : "ascending");
    } else cell.append(label);
    head.append(cell);
  }
  return make("thead", {}, head);
};

const HELD = "Newer rows are held while the pointer is on the table.";

// Draw the table of the last data, unless its rows are held where they are.
const draw = (parentElement) => {
  const { data, setStateValue, setTriggerValue } = parentElement.latest;
  const text = JSON.stringify(data);
  if (parentElement.shown === text) return;
  const former = parentElement.querySelector("[data-part=table]");
  if (data.live && former?.matches(":hover")) {
    former.querySelector("p").textContent = HELD;
    return;
  }
  parentElement.shown = text;
  const focused = parentElement.getRootNode().activeElement?.dataset?.focus;
  const scrolled = former?.querySelector(".frame")?.scrollTop ?? 0;
  let ticked = [...data.ticked];

  const makeRow = (row) => {
    const line = make("tr", { "data-row": row.id });
    const open = () => setTriggerValue("open", `${row.opens} ${row.id}`);
    if (data.maxTicked) {
      const box = make("input", { type: "checkbox", "aria-label": `Compare ${row.name}`, "data-focus": `tick ${row.id}` });
      box.checked = ticked.includes(row.id);
      box.onchange = () => {
        ticked = box.checked ? [...ticked, row.id].slice(-data.maxTicked) : ticked.filter((id) => id !== row.id);
        setStateValue("ticked", ticked);
      };
      line.append(make("td", { class: "tick" }, make("label", {}, box)));
    }
    row.cells.forEach((cell, place) => {
      const { label, number, clock } = data.columns[place];
      const node = make("td", { "data-label": label, class: number ? "number" : clock ? "clock" : undefined });
      if (place === data.link) {
        const address = `?${row.opens}=${encodeURIComponent(row.id)}`;
        const link = make("a", { href: address, dir: "auto", "data-focus": `open ${row.opens} ${row.id}` }, cell.text || row.name);
        link.onclick = (event) => {
          event.stopPropagation();
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          open();
        };
        node.append(link);
        fill(node, { ...cell, text: "" });
      } else fill(node, cell);
      line.append(node);
    });
    line.onclick = (event) => {
      if (!event.target.closest("a, button, input, label") && !String(document.getSelection())) open();
    };
    return line;
  };

  const table = make("table", { "aria-label": data.title }, makeHead(data, setTriggerValue), make("tbody", {}, ...data.rows.map(makeRow)));
  const root = make("div", { "data-part": "table" });
  if (data.live) {
    const frame = make("div", { class: "frame", role: "region", tabindex: 0, "aria-label": data.title, "data-focus": "frame" }, table);
    root.append(frame, make("p"));
    root.onmouseleave = () => draw(parentElement);
    former?.remove();
    parentElement.append(root);
    frame.scrollTop = scrolled;
  } else {
    root.append(table);
    former?.remove();
    parentElement.append(root);
  }
  if (focused) [...root.querySelectorAll("[data-focus]")].find((node) => node.dataset.focus === focused)?.focus({ preventScroll: true });
};

export default function ({ parentElement, data, setStateValue, setTriggerValue }) {
  parentElement.latest = { data, setStateValue, setTriggerValue };
  draw(parentElement);
}
