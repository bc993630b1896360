// The file input: PUTs one file, chosen by click, keyboard or drop, to the console; nothing of it passes the script.
export default function ({ parentElement, data, setTriggerValue }) {
  const part = (name) => parentElement.querySelector(`[data-part=${name}]`);
  const [zone, input, stop, bar, status] = ["zone", "input", "stop", "bar", "status"].map(part);
  const megabytes = (bytes) => `${(bytes / 1e6).toLocaleString("en", { maximumFractionDigits: bytes < 1e7 ? 1 : 0 })} MB`;

  part("label").textContent = data.label;
  part("button").textContent = data.button;
  part("hint").textContent = data.hint;

  const show = (message, { busy = false, wrong = false } = {}) => {
    status.textContent = message;
    status.setAttribute("role", wrong ? "alert" : "status");
    zone.classList.toggle("wrong", wrong);
    zone.classList.toggle("busy", busy);
    bar.hidden = stop.hidden = !busy;
    input.disabled = busy;
  };

  const send = (files) => {
    if (parentElement.upload || !files.length) return;
    const [file] = files;
    if (files.length > 1) return show("One file at a time: choose one of them.", { wrong: true });
    if (file.size > data.maxBytes)
      return show(`${file.name} has ${megabytes(file.size)}; up to ${megabytes(data.maxBytes)} are accepted. Split it, or compress it as .gz.`, { wrong: true });
    const upload = new XMLHttpRequest();
    parentElement.upload = upload;
    const finish = (message, wrong) => {
      parentElement.upload = null;
      show(message, { wrong });
    };
    upload.upload.onprogress = ({ loaded, total }) => {
      bar.max = total;
      bar.value = loaded;
      show(`${file.name}: ${megabytes(loaded)} of ${megabytes(total)}`, { busy: true });
    };
    upload.onload = () => {
      let response = {};
      try {
        response = JSON.parse(upload.responseText);
      } catch {}
      if (upload.status === 201) {
        finish(`${file.name} is uploaded, and is being read.`, false);
        setTriggerValue("arrived", response.digest);
      } else finish(response.error || `The console responded ${upload.status}. The file was not uploaded. Drop it again.`, true);
    };
    upload.onerror = () =>
      finish(`${file.name} was not uploaded: the console cannot be reached, or the file changed or cannot be read. Drop it again.`, true);
    upload.onabort = () => finish(`${file.name} was stopped. Nothing of it is kept.`, false);
    upload.open("PUT", data.path);
    upload.setRequestHeader("Content-Type", data.type);
    upload.setRequestHeader(data.token_header, data.token);
    upload.setRequestHeader(data.name_header, encodeURIComponent(file.name.toWellFormed?.() ?? file.name));
    show(`${file.name}: 0 of ${megabytes(file.size)}`, { busy: true });
    upload.send(file);
  };

  input.onchange = () => {
    send([...input.files]);
    input.value = ""; // the same file can be chosen again
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
  // When the input has gone from the screen, its upload ends.
  return () => setTimeout(() => parentElement.isConnected || parentElement.upload?.abort());
}
