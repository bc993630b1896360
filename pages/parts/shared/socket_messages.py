"""The messages of Streamlit's web socket: their kinds, and those that a screen needs."""

from google.protobuf.message import DecodeError
from streamlit.proto.BackMsg_pb2 import BackMsg

NEEDED_KINDS = (
    "rerun_script",
    "stop_script",
    "app_heartbeat",
    "file_urls_request",
    "backend_operation_request",
)
"""What the browser's part of a screen sends. Others clear caches, shut the server down, or ask about its code."""

_NEEDED_OPERATIONS = ("deferred_file", "dataframe_chunk")
"""What is read by ``backend_operation_request``: downloads and rows. Its others write files of Streamlit's own."""


def read_message_kind(body: bytes) -> str | None:
    """The kind of a message; ``None`` where it has none that Streamlit knows. Raises ValueError where it is none."""
    message = BackMsg()
    try:
        message.ParseFromString(body)
    except DecodeError as error:
        raise ValueError("The frame is no message of Streamlit's.") from error
    kind = message.WhichOneof("type")
    if kind == "backend_operation_request":
        operation = message.backend_operation_request.WhichOneof("payload")
        return kind if operation in _NEEDED_OPERATIONS else operation
    return kind
