// A text with line numbers, a gutter of marks, and what is marked in it. Everything is put there as text, never as HTML.
export default function ({ parentElement, data }) {
  const [frame, list] = ["frame", "lines"].map((name) => parentElement.querySelector(`[data-part=${name}]`));
  frame.setAttribute("aria-label", data.label);
  frame.style.setProperty("--gutter", `${data.width}ch`);
  const made = document.createDocumentFragment();
  for (const [number, kind, sign, pieces, said] of data.lines) {
    const line = document.createElement("li");
    if (kind) line.className = kind;
    if (said) line.title = said;
    const [at, gutter, text] = ["span", "b", "code"].map((tag) => line.appendChild(document.createElement(tag)));
    at.textContent = number;
    gutter.textContent = sign;
    for (const [words, look] of pieces) {
      if (!look) text.append(words);
      else {
        const mark = text.appendChild(document.createElement("mark"));
        mark.className = look;
        mark.textContent = words;
      }
    }
    if (number === data.focus) line.classList.add("looked-at");
    made.append(line);
  }
  const before = frame.scrollTop;
  list.replaceChildren(made);
  frame.scrollTop = before;
  if (data.focus && parentElement.asked !== data.asked) {
    const line = list.querySelector(".looked-at");
    if (line) {
      frame.scrollTop = line.offsetTop - list.offsetTop - frame.clientHeight / 3;
      setTimeout(() => {
        frame.focus({ preventScroll: true }); // a button that keeps the focus holds the page where it is
        list.querySelector(".looked-at")?.scrollIntoView({ block: "nearest" });
      }, 100);
    }
  }
  parentElement.asked = data.asked;
}
