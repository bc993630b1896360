// Suggestions below a text field, which stays a text field: what is typed is never replaced by what is suggested.
// Values and names are set as text, never as HTML.
const PAUSE_MS = 200; // after the last key, before the server is asked

const setText = (input, text) => {
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(input, text);
  input.dispatchEvent(new Event("input", { bubbles: true }));
};

export default function ({ parentElement, data, setTriggerValue }) {
  const [list, status] = ["list", "status"].map((part) => parentElement.querySelector(`[data-part=${part}]`));
  const state = (parentElement.suggesting ??= { chosen: -1, isOpen: false, asked: null, timer: 0 });
  list.id = `suggestions-${data.field}`;
  list.setAttribute("aria-label", data.label);
  const find = () => document.querySelector(`.st-key-${CSS.escape(data.field)} input`);
  const isField = (event) => event.target instanceof HTMLInputElement && event.target === find();

  const rank = ({ value, name }, typed) => {
    const [id, said] = [value.toLowerCase(), name.toLowerCase()];
    return typed.split(/\s+/).every((word) => id.includes(word) || said.includes(word));
  };
  const choices = () => {
    const typed = find()?.value.trim().toLowerCase() ?? "";
    return data.isAsked ? data.options : data.options.filter((option) => rank(option, typed));
  };
  const mark = () => {
    const options = [...list.querySelectorAll("[role=option]")];
    options.forEach((option, at) => option.setAttribute("aria-selected", at === state.chosen));
    const input = find();
    const chosen = options[state.chosen];
    if (chosen) {
      input?.setAttribute("aria-activedescendant", chosen.id);
      chosen.scrollIntoView({ block: "nearest" });
    } else input?.removeAttribute("aria-activedescendant");
  };
  const draw = () => {
    const found = state.isOpen ? choices() : [];
    const input = find();
    state.chosen = Math.min(state.chosen, found.length - 1);
    list.replaceChildren(
      ...found.map(({ value, name }, at) => {
        const option = document.createElement("li");
        option.id = `${list.id}-${at}`;
        option.setAttribute("role", "option");
        const id = document.createElement("b");
        id.textContent = value;
        option.append(id, name);
        option.addEventListener("pointerdown", (event) => {
          event.preventDefault(); // the field keeps the focus
          choose(value);
        });
        return option;
      }),
    );
    const isShown = state.isOpen && (found.length > 0 || Boolean(data.hint && data.isAsked && input?.value));
    if (isShown && data.hint) {
      const hint = document.createElement("li");
      hint.className = "hint";
      hint.setAttribute("role", "presentation");
      hint.textContent = data.hint;
      list.append(hint);
    }
    list.hidden = !isShown;
    status.textContent = isShown ? `${found.length} suggestions. ${data.hint}` : "";
    if (input) {
      input.setAttribute("role", "combobox");
      input.setAttribute("autocomplete", "off");
      input.setAttribute("aria-autocomplete", "list");
      input.setAttribute("aria-controls", list.id);
      input.setAttribute("aria-expanded", String(isShown));
    }
    mark();
  };
  const open = (isOpen) => {
    state.isOpen = isOpen;
    if (!isOpen) state.chosen = -1;
    draw();
  };
  const choose = (value) => {
    const input = find();
    if (!input) return;
    setText(input, value);
    open(false);
    // The field hands in its text when it takes the key.
    setTimeout(() => input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", code: "Enter", keyCode: 13, bubbles: true })), 0);
  };
  const ask = (text) => {
    clearTimeout(state.timer);
    if (!data.isAsked || state.asked === text) return;
    state.timer = setTimeout(() => {
      state.asked = text;
      setTriggerValue("query", text);
    }, PAUSE_MS);
  };

  const listeners = {
    focusin: (event) => {
      if (!isField(event)) return;
      state.chosen = -1;
      if (!event.target.value) open(true);
      ask(event.target.value);
    },
    focusout: (event) => {
      if (isField(event)) open(false);
    },
    input: (event) => {
      if (!isField(event) || !event.isTrusted) return;
      state.chosen = -1;
      open(true);
      ask(event.target.value);
    },
    keydown: (event) => {
      if (!isField(event) || !event.isTrusted) return;
      const count = list.querySelectorAll("[role=option]").length;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        if (!state.isOpen) return open(true), ask(event.target.value), event.preventDefault();
        if (!count) return;
        const step = event.key === "ArrowDown" ? 1 : -1;
        state.chosen = (state.chosen + step + count + (state.chosen < 0 && step < 0 ? 1 : 0)) % count;
        event.preventDefault();
        mark();
      } else if (event.key === "Enter" && state.isOpen && state.chosen >= 0) {
        event.preventDefault();
        event.stopPropagation();
        choose(choices()[state.chosen].value);
      } else if (event.key === "Escape" && state.isOpen) {
        event.stopPropagation();
        open(false);
      } else if (event.key === "Enter") open(false);
    },
  };
  parentElement.removeListeners?.();
  for (const [name, listener] of Object.entries(listeners)) document.addEventListener(name, listener, true);
  parentElement.removeListeners = () => {
    for (const [name, listener] of Object.entries(listeners)) document.removeEventListener(name, listener, true);
  };
  draw();
  return parentElement.removeListeners;
}
