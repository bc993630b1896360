// Puts the cursor into the field of a widget key, once for each request of the server.
export default function ({ parentElement, data }) {
  if (parentElement.request === data.request) return;
  parentElement.request = data.request;
  document.querySelector(`.st-key-${CSS.escape(data.field)} :is(input, textarea, button)`)?.focus();
}
