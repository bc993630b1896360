// A button that copies a link of this console. Where the browser has no clipboard, the link is shown, selected.
const SHOWN_MS = 4000;

export default function ({ parentElement, data }) {
  const [button, status, link] = ["button", "status", "link"].map((part) => parentElement.querySelector(`[data-part=${part}]`));
  const made = new URL(data.path, window.location.origin);
  for (const [name, text] of data.params) made.searchParams.set(name, text);
  const address = made.href;
  button.textContent = data.label;
  button.title = address;
  if (link.value !== address) {
    link.value = address;
    link.hidden = true;
    status.textContent = "";
  }
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(address);
      status.textContent = "Copied";
      setTimeout(() => (status.textContent = ""), SHOWN_MS);
    } catch {
      link.hidden = false;
      link.focus();
      link.select();
      status.textContent = "Copy it from here";
    }
  };
}
