// A text with line numbers, a gutter of severities, and annotations. Everything is set as text, never as HTML.
export default function ({ parentElement, data }) {
  const [frame, list] = ["frame", "lines"].map((name) => parentElement.querySelector(`[data-part=${name}]`));
  frame.setAttribute("aria-label", data.label);
  frame.style.setProperty("--gutter", `${data.width}ch`);
  const lines = document.createDocumentFragment();
  for (const [number, kind, sign, pieces, title] of data.lines) {
    const line = document.createElement("li");
    if (kind) line.className = kind;
    if (title) line.title = title;
    const [at, gutter, text] = ["span", "b", "code"].map((tag) => line.appendChild(document.createElement(tag)));
    at.textContent = number;
    gutter.textContent = sign;
    for (const [content, kindOfPiece] of pieces) {
      if (!kindOfPiece) text.append(content);
      else {
        const mark = text.appendChild(document.createElement("mark"));
        mark.className = kindOfPiece;
        mark.textContent = content;
      }
    }
    if (number === data.focus) line.classList.add("focused");
    lines.append(line);
  }
  const before = frame.scrollTop;
  list.replaceChildren(lines);
  frame.hidden = !data.lines.length;
  frame.scrollTop = before;
  if (data.focus && parentElement.focusCount !== data.focusCount) {
    const line = list.querySelector(".focused");
    if (line) {
      frame.scrollTop = line.offsetTop - list.offsetTop - frame.clientHeight / 3;
      setTimeout(() => {
        frame.focus({ preventScroll: true }); // a button that keeps the focus holds the page where it is
        list.querySelector(".focused")?.scrollIntoView({ block: "nearest" });
      }, 100);
    }
  }
  parentElement.focusCount = data.focusCount;
}
