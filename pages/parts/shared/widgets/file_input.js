// The file input: one file, by click, keyboard or drop, is PUT as it is to the console; nothing of it passes the script.
export default function ({ parentElement, data, setTriggerValue }) {
  const part = (name) => parentElement.querySelector(`[data-part=${name}]`);
  const [zone, input, stop, bar, said] = ["zone", "input", "stop", "bar", "said"].map(part);
  const mega = (bytes) => `${(bytes / 1e6).toLocaleString("en", { maximumFractionDigits: bytes < 1e7 ? 1 : 0 })} MB`;

  part("label").textContent = data.label;
  part("button").textContent = data.button;
  part("hint").textContent = data.hint;

  const show = (words, { busy = false, wrong = false } = {}) => {
    said.textContent = words;
    said.setAttribute("role", wrong ? "alert" : "status");
    zone.classList.toggle("wrong", wrong);
    zone.classList.toggle("busy", busy);
    bar.hidden = stop.hidden = !busy;
    input.disabled = busy;
  };

  const send = (files) => {
    if (parentElement.upload || !files.length) return;
    const [file] = files;
    if (files.length > 1) return show("One file at a time: choose one of them.", { wrong: true });
    if (file.size > data.most)
      return show(`${file.name} has ${mega(file.size)}; up to ${mega(data.most)} are taken. Cut it into several, or compress it as .gz.`, { wrong: true });
    const upload = new XMLHttpRequest();
    parentElement.upload = upload;
    const over = (words, wrong) => {
      parentElement.upload = null;
      show(words, { wrong });
    };
    upload.upload.onprogress = ({ loaded, total }) => {
      bar.max = total;
      bar.value = loaded;
      show(`${file.name}: ${mega(loaded)} of ${mega(total)}`, { busy: true });
    };
    upload.onload = () => {
      let answer = {};
      try {
        answer = JSON.parse(upload.responseText);
      } catch {}
      if (upload.status === 201) {
        over(`${file.name} is here, and is being read.`, false);
        setTriggerValue("arrived", answer.digest);
      } else over(answer.error || `The console answered ${upload.status} and took nothing. Drop the file again.`, true);
    };
    upload.onerror = () =>
      over(`${file.name} broke off: the console is gone, or the file changed or cannot be read. Nothing of it was kept. Drop it again.`, true);
    upload.onabort = () => over(`${file.name} was stopped. Nothing of it was kept.`, false);
    upload.open("PUT", data.path);
    upload.setRequestHeader("Content-Type", data.type);
    upload.setRequestHeader(data.token_header, data.token);
    upload.setRequestHeader(data.name_header, encodeURIComponent(file.name.toWellFormed?.() ?? file.name));
    show(`${file.name}: 0 of ${mega(file.size)}`, { busy: true });
    upload.send(file);
  };

  input.onchange = () => {
    send([...input.files]);
    input.value = ""; // the same file can be chosen once more
  };
  stop.onclick = () => parentElement.upload?.abort();
  zone.ondragover = (event) => {
    event.preventDefault();
    zone.classList.add("over");
  };
  zone.ondragleave = () => zone.classList.remove("over");
  zone.ondrop = (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    send([...event.dataTransfer.files]);
  };
  // Gone from the screen, the rest of a file is wanted by nobody.
  return () => setTimeout(() => parentElement.isConnected || parentElement.upload?.abort());
}
