// Puts the cursor into the field of a widget key, once for each request of the server. A field that is drawn in the
// same run may come a little later.
const ATTEMPTS = 40;

export default function ({ parentElement, data }) {
  if (parentElement.request === data.request) return;
  parentElement.request = data.request;
  const look = (left) => {
    const widget = document.querySelector(`.st-key-${CSS.escape(data.field)}`);
    const field = widget?.querySelector("input, textarea") ?? widget?.querySelector("button:not(:disabled)");
    if (field) field.focus();
    else if (left) setTimeout(look, 50, left - 1);
  };
  look(ATTEMPTS);
}
