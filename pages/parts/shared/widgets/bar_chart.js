// Draws bars as SVG. Lengths along the width are percentages, so that it fits every width and text keeps its size.
const HEIGHT = 72; // of the highest vertical bar, in pixels
const WIDEST = 14; // a vertical bar at the most, in pixels
const ROW = 48; // a horizontal bar with the text above it
const THICKNESS = 18;
const LINE = 18; // a line of text beside vertical bars

const draw = (name, attributes = {}, ...children) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [attribute, value] of Object.entries(attributes)) node.setAttribute(attribute, value);
  node.append(...children);
  return node;
};

const sum = (counts) => counts.reduce((total, count) => total + count, 0);

// The parts of a bar: series, start and size, each as a share of the largest bar.
const divide = (bar, largest) => {
  let start = 0;
  return bar.counts.flatMap((count, series) => {
    const part = { series, start: start / largest, size: count / largest };
    start += count;
    return count ? [part] : [];
  });
};

const drawVertical = (svg, { bars, series, top }, largest) => {
  const step = 100 / bars.length;
  const above = top ? LINE : 0;
  const isNamed = bars.some(({ label }) => label);
  svg.setAttribute("height", above + HEIGHT + 1 + (isNamed ? LINE : 0));
  svg.style.maxWidth = `${bars.length * (WIDEST + 1)}px`;
  bars.forEach((bar, place) => {
    const parts = divide(bar, largest).map((part) => {
      const height = Math.max(1, part.size * HEIGHT);
      const y = above + HEIGHT - part.start * HEIGHT - height;
      const x = `${place * step}%`;
      return draw("rect", { class: series[part.series].colour, x, y, width: `${step * 0.93}%`, height });
    });
    svg.append(draw("g", {}, draw("title", {}, bar.figure), ...parts));
    if (!bar.label) return;
    const anchor = place === 0 ? "start" : place === bars.length - 1 ? "end" : "middle";
    const x = `${(place + (place === 0 ? 0 : place === bars.length - 1 ? 1 : 0.5)) * step}%`;
    svg.append(draw("text", { class: "tick", x, y: above + HEIGHT + LINE - 3, "text-anchor": anchor }, bar.label));
  });
  if (top) {
    svg.append(draw("line", { class: "axis", x1: 0, x2: "100%", y1: above + 0.5, y2: above + 0.5 }));
    svg.append(draw("text", { class: "tick", x: 0, y: above - 4 }, top));
  }
  const base = above + HEIGHT + 0.5;
  svg.append(draw("line", { class: "axis", x1: 0, x2: "100%", y1: base, y2: base }));
};

const drawHorizontal = (svg, { bars, series }, largest) => {
  const isNamed = bars.some(({ label, figure }) => label || figure);
  const row = isNamed ? ROW : THICKNESS;
  svg.setAttribute("height", bars.length * row);
  bars.forEach((bar, place) => {
    const top = place * row;
    const y = isNamed ? top + 22 : top;
    const parts = divide(bar, largest).map((part) => {
      const x = `${part.start * 100}%`;
      const width = `${part.size * 100}%`;
      return draw("rect", { class: series[part.series].colour, x, y, width, height: THICKNESS });
    });
    const label = draw("text", { x: 0, y: top + 15 }, bar.label);
    const figure = draw("text", { class: "figure", x: "100%", y: top + 15 }, bar.figure);
    const track = draw("rect", { class: "track", x: 0, y, width: "100%", height: THICKNESS });
    svg.append(draw("g", {}, label, figure, track, ...parts));
  });
};

const makeLegend = (series) => {
  const legend = document.createElement("div");
  legend.className = "legend";
  for (const { name, colour } of series) {
    const square = draw("rect", { class: colour, width: "100%", height: "100%" });
    const entry = document.createElement("span");
    entry.append(draw("svg", { "aria-hidden": "true" }, square), name);
    legend.append(entry);
  }
  return legend;
};

export default function ({ parentElement, data }) {
  const largest = Math.max(1, data.total, ...data.bars.map((bar) => sum(bar.counts)));
  const title = draw("title", { id: "title" }, data.title);
  const description = draw("desc", { id: "description" }, data.description);
  const svg = draw("svg", { role: "img", "aria-labelledby": "title", "aria-describedby": "description" });
  svg.append(title, description);
  (data.horizontal ? drawHorizontal : drawVertical)(svg, data, largest);
  const named = data.series.filter(({ name }) => name);
  const chart = document.createElement("div");
  chart.dataset.part = "chart";
  chart.append(svg, ...(named.length ? [makeLegend(named)] : []));
  parentElement.querySelector("[data-part=chart]")?.remove();
  parentElement.append(chart);
}
