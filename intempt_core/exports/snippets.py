"""Snippets: a request as code to be run elsewhere, for a shell, for Python, for Node.

A snippet sends the very bytes that the console would send. It names the key only as ``$INTEMPT_API_KEY``, so that it
can be shared: the key comes from the environment of the person who runs it.
"""

import base64
import json
import shlex

from intempt_core.settings import KEY_VARIABLE
from intempt_core.targets import Target

MAX_ARGUMENT_BYTES = 100_000
"""Bytes of the longest body that is one argument of a command (Linux allows 131,072); a longer one is piped."""


def render_curl_snippet(target: Target, body: bytes) -> str:
    """Render the request for a POSIX shell, as one curl command."""
    text = _decode_body(body)
    plain = text is not None and "\0" not in text
    quoted = shlex.quote(text) if text is not None and plain else ""
    if plain and len(body) <= MAX_ARGUMENT_BYTES:
        piped, data = "", f"--data-raw {quoted}"  # unlike --data-binary it takes a leading @ as it is
    else:
        # printf is part of the shell: no limit on its arguments, and it can write bytes that no argument can hold.
        written = f"printf '%s' {quoted}" if plain else "printf '{}'".format("".join(map("\\{:03o}".format, body)))
        piped, data = f"{written} |\n", "--data-binary @-"
    lines = (
        f"{piped}curl --request POST {shlex.quote(target.track_url)}",
        f'--user "${{{KEY_VARIABLE}%%.*}}:${{{KEY_VARIABLE}#*.}}"',
        "--header 'Content-Type: application/json'",
        data,
    )
    return " \\\n  ".join(lines) + "\n"


def render_python_snippet(target: Target, body: bytes) -> str:
    """Render the request for Python with httpx."""
    text = _decode_body(body)
    if text is None:
        literal = repr(body)
    else:
        pieces = [repr(line) for line in text.splitlines(keepends=True)] or ["''"]
        literal = f"{pieces[0]}.encode()" if len(pieces) == 1 else "(\n    {}\n).encode()".format("\n    ".join(pieces))
    return f"""\
import os

import httpx

prefix, _, secret = os.environ["{KEY_VARIABLE}"].partition(".")
body = {literal}
response = httpx.post(
    {target.track_url!r},
    content=body,
    headers={{"Content-Type": "application/json"}},
    auth=(prefix, secret),
    timeout=30,
)
print(response.status_code, response.text)
"""


def render_node_snippet(target: Target, body: bytes) -> str:
    """Render the request for Node 18 or newer, whose fetch is built in; runs as a module and as a script."""
    text = _decode_body(body)
    packed = base64.b64encode(body).decode()
    literal = f'Buffer.from("{packed}", "base64")' if text is None else json.dumps(text, ensure_ascii=False)
    return f"""\
const [prefix, ...rest] = process.env.{KEY_VARIABLE}.split(".");
const body = {literal};
fetch({json.dumps(target.track_url)}, {{
  method: "POST",
  headers: {{
    "Content-Type": "application/json",
    Authorization: "Basic " + Buffer.from(prefix + ":" + rest.join(".")).toString("base64"),
  }},
  body,
}}).then(async (response) => console.log(response.status, await response.text()));
"""


def _decode_body(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
