"""A file input that uploads to the console's disk; the file passes neither the script nor its memory."""

from intempt_core.uploads import FILE_NAME_HEADER, TOKEN_HEADER, UPLOAD_CONTENT_TYPE, UPLOAD_PATH
from pages.parts.shared.services import get_services
from pages.parts.shared.widgets.component import load_component


def show_file_input(label: str, *, hint: str, token: str, key: str) -> None:
    """A place to choose or drop one file; the upload waits under ``token`` in the services' ``upload_tokens``.

    The script runs again when a file has arrived.
    """
    data = {
        "label": label,
        "button": "Choose a file",
        "hint": hint,
        "path": UPLOAD_PATH,
        "type": UPLOAD_CONTENT_TYPE,
        "token": token,
        "token_header": TOKEN_HEADER,
        "name_header": FILE_NAME_HEADER,
        "maxBytes": get_services().upload_tokens.spool.max_bytes,
    }
    load_component("file_input")(key=key, data=data, on_arrived_change=lambda: None)
