// Reads a message to who cannot see it, and moves the focus to what it is about; each once, however often it is drawn.
const SHORTLY = 150; // milliseconds: a region that is new, or was just emptied, is not listened to yet

function findRegion() {
  const known = document.getElementById("console-announcements");
  if (known) return known;
  const region = document.createElement("div");
  region.id = "console-announcements";
  region.setAttribute("role", "status");
  region.setAttribute("aria-live", "polite");
  region.setAttribute("aria-atomic", "true");
  Object.assign(region.style, {
    position: "absolute", width: "1px", height: "1px", overflow: "hidden", clipPath: "inset(50%)", whiteSpace: "nowrap",
  });
  document.body.append(region);
  return region;
}

function isTyping() {
  return document.activeElement?.matches("input, textarea, select, [contenteditable=true]") ?? false;
}

export default function ({ data }) {
  const done = (window.consoleAnnouncements ??= new Set());
  const region = findRegion();
  if (data.token && !done.has(data.token)) {
    done.add(data.token);
    region.textContent = "";
    setTimeout(() => { region.textContent = data.message; }, SHORTLY);
  }
  if (data.focusToken && !done.has(data.focusToken)) {
    done.add(data.focusToken);
    const place = document.querySelector(`.st-key-${CSS.escape(data.place)}`);
    if (!place) return;
    place.tabIndex = -1;
    place.setAttribute("role", "group");
    place.setAttribute("aria-label", data.label);
    Object.assign(place.style, { scrollMarginTop: "5rem", scrollMarginBottom: "2rem" });
    if (!isTyping()) place.focus({ preventScroll: true });
    place.scrollIntoView({ block: "nearest" });
  }
}
