// Draws events as marks in lanes, as SVG, and the same events as a table. All text is set as text, never as HTML.
const LANE = 44; // height of a lane, in pixels
const STEP = 26; // from one mark to the next at the least
const WIDE_STEP = 104; // where labels are beside the marks
const LABELLED = 12; // marks at the most that have labels
const RADIUS = 7;

const draw = (name, attributes = {}, ...children) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [attribute, value] of Object.entries(attributes)) node.setAttribute(attribute, value);
  node.append(...children);
  return node;
};

const make = (name, attributes = {}, ...children) => {
  const node = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) node.setAttribute(attribute, value);
  node.append(...children);
  return node;
};

const drawShape = ({ look }) => {
  const square = { class: `shape ${look}`, x: -6, y: -6, width: 12, height: 12 };
  if (look === "failed") return draw("rect", square);
  if (look === "open") return draw("rect", { ...square, transform: "rotate(45)" });
  return draw("circle", { class: `shape ${look}`, r: RADIUS });
};

const drawMark = (mark, x, labelled) => {
  const group = draw("g", {
    class: mark.asked ? "mark asked" : "mark",
    id: `mark-${mark.number}`, role: "option", tabindex: -1, "aria-label": mark.sentence, "aria-selected": "false",
  });
  const inner = draw("svg", { x, y: mark.lane * LANE + LANE / 2, overflow: "visible" });
  inner.append(draw("circle", { class: "hit", r: 13 }), draw("circle", { class: "ring", r: 11 }), drawShape(mark));
  if (labelled && mark.label) inner.append(draw("text", { class: "label", x: 13, y: 4 }, mark.label));
  group.append(inner);
  return group;
};

const drawPicture = ({ label, lanes, marks, times }) => {
  const count = marks.length, labelled = count <= LABELLED, step = labelled ? WIDE_STEP : STEP;
  const height = lanes.length * LANE, width = count * step;
  const place = (index) => `${((index + (labelled ? 0.15 : 0.5)) * 100) / count}%`;
  const svg = draw("svg", { class: "lanes", height: height + 22 });
  svg.style.minWidth = `${width}px`;
  const ground = draw("g", { "aria-hidden": "true" });
  lanes.forEach((_, lane) => {
    const y = lane * LANE + LANE / 2;
    ground.append(draw("line", { class: "lane", x1: 0, x2: "100%", y1: y, y2: y }));
  });
  const every = labelled ? 1 : Math.max(3, Math.ceil(count / 12));
  times.forEach((time, index) => {
    if (index % every === 0) ground.append(draw("text", { class: "time", x: place(index), y: height + 16 }, time));
  });
  const list = draw("g", { role: "listbox", "aria-label": label, "aria-orientation": "horizontal" });
  list.append(...marks.map((mark, index) => drawMark(mark, place(index), labelled)));
  svg.append(ground, list);
  const names = make("div", { class: "names", "aria-hidden": "true" });
  names.append(...lanes.map((lane) => make("span", {}, lane)));
  const frame = make("div", { class: "frame" }, svg);
  return make("div", { class: "picture" }, names, frame);
};

const makeTable = ({ label, heads, marks }) => {
  const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
  const rows = [...marks].reverse().map((mark) => {
    const cells = mark.cells.map((text) => make("td", {}, text));
    const open = make("button", { type: "button", "aria-label": `Open event ${mark.number}` }, "Open");
    const row = make("tr", { "data-number": mark.number }, ...cells, make("td", {}, open));
    if (mark.asked) row.className = "asked";
    return row;
  });
  head.append(make("td", {}));
  const table = make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
  return make("div", { class: "table", role: "region", tabindex: 0, "aria-label": `${label}, as a table` }, table);
};

const LOOKS = [
  ["full", "processed"],
  ["accepted", "accepted, processing not known"],
  ["hollow", "ignored"],
  ["failed", "rejected or not sent"],
  ["open", "unknown (may have arrived), or queued"],
];

const makeLegend = (marks) => {
  const legend = make("div", { class: "legend", "aria-hidden": "true" });
  for (const [look, words] of LOOKS) {
    if (!marks.some((mark) => mark.look === look)) continue;
    const shape = draw("svg", { width: 18, height: 18, viewBox: "-9 -9 18 18" }, drawShape({ look }));
    legend.append(make("span", {}, shape, words));
  }
  return legend;
};

export default function ({ parentElement, data, setTriggerValue }) {
  const { marks, chosen } = data;
  const written = JSON.stringify({ ...data, chosen: null });
  const state = (parentElement.timeline ??= {});
  state.choose = (number) => setTriggerValue("chosen", number);
  const root = parentElement.querySelector("[data-part=timeline]");
  if (state.written !== written) {
    // A mark that has the focus keeps it: the picture may be drawn again while somebody reads it.
    const focused = root.querySelector("[role=option]:focus")?.id;
    const scrolled = root.querySelector(".frame")?.scrollLeft;
    state.written = written;
    const says = make("p", { class: "says", "aria-hidden": "true" });
    root.replaceChildren(drawPicture(data), says, makeLegend(marks), makeTable(data));
    connect(root, state, marks, says);
    const frame = root.querySelector(".frame");
    frame.scrollLeft = scrolled ?? frame.scrollWidth;
    if (focused) root.querySelector(`#${CSS.escape(focused)}`)?.focus({ preventScroll: true });
  }
  for (const option of root.querySelectorAll("[role=option]")) {
    option.setAttribute("aria-selected", String(option.id === `mark-${chosen}`));
  }
  for (const row of root.querySelectorAll("tbody tr")) row.toggleAttribute("aria-current", Number(row.dataset.number) === chosen);
}

function connect(root, state, marks, says) {
  const options = [...root.querySelectorAll("[role=option]")];
  const hint = "Point at an event, or use the arrow keys; Enter opens it.";
  says.textContent = hint;
  let at = options.length - 1;
  const enter = (index) => {
    options[at]?.setAttribute("tabindex", -1);
    at = index;
    options[at].setAttribute("tabindex", 0);
  };
  if (options.length) enter(at);
  const show = (index) => { says.textContent = marks[index].sentence; };
  const move = (index) => {
    if (index < 0 || index >= options.length) return;
    enter(index);
    options[index].focus();
    options[index].scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  // The nearest event of the next lane up or down that has one.
  const findInLane = (step) => {
    const lanes = [...new Set(marks.map((mark) => mark.lane))].sort((a, b) => (a - b) * step);
    const lane = lanes.find((one) => (one - marks[at].lane) * step > 0);
    const found = marks.flatMap((mark, index) => (mark.lane === lane ? [index] : []));
    return found.sort((a, b) => Math.abs(a - at) - Math.abs(b - at))[0] ?? -1;
  };
  options.forEach((option, index) => {
    option.onfocus = () => { enter(index); show(index); };
    option.onmouseenter = () => show(index);
    option.onmouseleave = () => { says.textContent = root.querySelector("[role=option]:focus") ? marks[at].sentence : hint; };
    option.onclick = () => state.choose(marks[index].number);
    option.onkeydown = (event) => {
      const steps = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: options.length - 1 };
      if (event.key in steps) move(steps[event.key]);
      else if (event.key === "ArrowUp") move(findInLane(-1));
      else if (event.key === "ArrowDown") move(findInLane(1));
      else if (event.key === "Enter" || event.key === " ") state.choose(marks[index].number);
      else return;
      event.preventDefault();
    };
  });
  for (const button of root.querySelectorAll("tbody button")) {
    button.onclick = () => state.choose(Number(button.closest("tr").dataset.number));
  }
}
