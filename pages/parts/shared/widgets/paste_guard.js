// Stands before a text area: what is too long never gets in, and a file that is dropped on it is read as its text.
export default function ({ parentElement, data, setTriggerValue }) {
  const said = parentElement.querySelector("[data-part=said]");
  const ours = (event) => event.target?.closest?.(`.st-key-${data.area}`);
  const count = (number) => number.toLocaleString("en");
  const hold = (event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  const tooLong = (what, length) => {
    said.textContent = `${what} ${count(length)} characters; up to ${count(data.most)} are read here. ${data.otherwise}`;
  };
  const paste = (event) => {
    if (!ours(event)) return;
    const length = event.clipboardData?.getData("text").length ?? 0;
    said.textContent = "";
    if (length <= data.most) return;
    hold(event);
    tooLong("What was pasted has", length);
  };
  const over = (event) => {
    if (ours(event) && [...(event.dataTransfer?.types ?? [])].includes("Files")) event.preventDefault();
  };
  const drop = async (event) => {
    const [file, second] = event.dataTransfer?.files ?? [];
    if (!ours(event) || !file) return;
    hold(event);
    said.textContent = second ? "One file at a time: the first one is read." : "";
    if (file.size > 4 * data.most) return tooLong(`${file.name} has about`, file.size);
    const bytes = new Uint8Array(await file.arrayBuffer());
    const wide = { "255,254": "utf-16le", "254,255": "utf-16be" }[bytes.slice(0, 2)] ?? "utf-8";
    try {
      const text = new TextDecoder(wide, { fatal: true }).decode(bytes);
      if (text.length > data.most) return tooLong(`${file.name} has`, text.length);
      setTriggerValue("dropped", text);
    } catch {
      said.textContent = `${file.name} is no text: it holds bytes that are not UTF-8. Save it as UTF-8.`;
    }
  };
  parentElement.leave?.();
  const listeners = { paste, dragover: over, drop };
  for (const [name, listener] of Object.entries(listeners)) document.addEventListener(name, listener, true);
  parentElement.leave = () => {
    for (const [name, listener] of Object.entries(listeners)) document.removeEventListener(name, listener, true);
  };
  return parentElement.leave;
}
