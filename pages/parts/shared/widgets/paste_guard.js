// Guards a text area: keeps out a paste that is too long, hands over one that may hold a key before it is shown, and
// reads a file that is dropped on it as its text.
const NAME_CHARACTERS = 40; // before what is pasted: a name there may make a key of it

export default function ({ parentElement, data, setTriggerValue }) {
  const status = parentElement.querySelector("[data-part=status]");
  const isInArea = (event) =>
    event.target?.closest?.(`.st-key-${data.area}`) ||
    (data.takesAnywhere && !event.target?.closest?.("input, textarea, [contenteditable], [data-st-overlay-root]"));
  const count = (number) => number.toLocaleString("en");
  const suppress = (event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  const tooLong = (what, length) => {
    status.textContent = `${what} ${count(length)} characters; up to ${count(data.maxCharacters)} are read here. ${data.advice}`;
  };
  const mayHoldKey = new RegExp(data.keyHint, "i");
  const paste = (event) => {
    if (!isInArea(event)) return;
    const pasted = event.clipboardData?.getData("text") ?? "";
    status.textContent = "";
    if (pasted.length > data.maxCharacters) {
      suppress(event);
      return tooLong("The pasted text has", pasted.length);
    }
    if (data.takesAnywhere && event.target?.value === undefined && pasted) {
      suppress(event);
      return setTriggerValue("text", pasted);
    }
    const { value, selectionStart, selectionEnd } = event.target;
    if (value === undefined || !pasted) return;
    const replacesAll = selectionEnd - selectionStart === value.length;
    const withNameBefore = value.slice(Math.max(0, selectionStart - NAME_CHARACTERS), selectionStart) + pasted;
    if (!replacesAll && pasted.length < data.minKeyCharacters && !mayHoldKey.test(withNameBefore)) return;
    suppress(event);
    const text = value.slice(0, selectionStart) + pasted + value.slice(selectionEnd);
    if (text.length > data.maxCharacters) return tooLong("With the pasted text there would be", text.length);
    event.target.blur(); // hands in what was typed: the area takes no text from the server while it holds some
    event.target.focus({ preventScroll: true });
    setTriggerValue("text", text);
  };
  const over = (event) => {
    if (isInArea(event) && [...(event.dataTransfer?.types ?? [])].includes("Files")) event.preventDefault();
  };
  const drop = async (event) => {
    const [file, second] = event.dataTransfer?.files ?? [];
    if (!isInArea(event) || !file) return;
    suppress(event);
    status.textContent = second ? "One file at a time: the first one is read." : "";
    if (file.size > 4 * data.maxCharacters) return tooLong(`${file.name} has about`, file.size);
    const bytes = new Uint8Array(await file.arrayBuffer());
    const encoding = { "255,254": "utf-16le", "254,255": "utf-16be" }[bytes.slice(0, 2)] ?? "utf-8";
    try {
      const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
      if (text.length > data.maxCharacters) return tooLong(`${file.name} has`, text.length);
      setTriggerValue("text", text);
    } catch {
      status.textContent = `${file.name} is not a text file in UTF-8. Save it as UTF-8.`;
    }
  };
  parentElement.removeListeners?.();
  const listeners = { paste, dragover: over, drop };
  for (const [name, listener] of Object.entries(listeners)) document.addEventListener(name, listener, true);
  parentElement.removeListeners = () => {
    for (const [name, listener] of Object.entries(listeners)) document.removeEventListener(name, listener, true);
  };
  return parentElement.removeListeners;
}
