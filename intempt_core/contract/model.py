"""The wire model: one event and one request as pydantic models. An error's type is an issue's code.

What makes an event right is declared in ``issue_kinds.py``; the models name the fields and ask those rules. Bodies are
never built from a model: :func:`~intempt_core.contract.body.build_request_body` writes objects as they came.
"""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from intempt_core.contract.fields import EventName, Json, is_event_name
from intempt_core.contract.issues import Issue, Place, split_pointer
from intempt_core.contract.rules import GivenEvent, find_event_errors


def _build_error(issue: Issue) -> InitErrorDetails:
    error = PydanticCustomError(issue.code, "{message}", {"message": f"{issue.message} {issue.fix}"})
    return InitErrorDetails(type=error, loc=tuple(split_pointer(issue.place.pointer)), input=issue.given)


def _check_name(value: Json) -> Json:
    if is_event_name(value):
        return value
    code = "event_name"
    raise PydanticCustomError(code, "{message}", {"message": Issue(code, Place(), str(value)).message})


class EventData(BaseModel):
    """``data``: ``productId`` and whatever else the shop adds (CONTRACT 1.4, 2.4)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    productId: Json  # noqa: N815  the wire's own name


class TrackEvent(BaseModel):
    """One EVENT of a payload (CONTRACT 1.4, 2.2–2.7). An error's ``type`` is an issue's code, its ``loc`` the place."""

    model_config = ConfigDict(extra="allow", frozen=True)

    eventId: Json  # noqa: N815  the wire's own name
    profileId: Json = None  # noqa: N815  the wire's own name
    userId: Json = None  # noqa: N815  the wire's own name
    anotherUserId: Json = None  # noqa: N815  the wire's own name
    accountId: Json = None  # noqa: N815  the wire's own name
    anotherAccountId: Json = None  # noqa: N815  the wire's own name
    sessionId: Json = None  # noqa: N815  the wire's own name
    pageId: Json = None  # noqa: N815  the wire's own name
    timestamp: Json = None
    data: EventData

    @model_validator(mode="before")
    @classmethod
    def _check_rules(cls, value: Json) -> Json:
        """Raise every error that the rules find, before the fields are read."""
        issues = find_event_errors(GivenEvent(EventName.VIEWED, value, Place()))
        if issues:
            raise ValidationError.from_exception_data(cls.__name__, [_build_error(issue) for issue in issues])
        return value


class TrackGroup(BaseModel):
    """One ``{"name": NAME, "payload": [EVENT, …]}`` (CONTRACT 1.3)."""

    model_config = ConfigDict(extra="allow", frozen=True, validate_default=True)

    name: Annotated[str, BeforeValidator(_check_name)] = ""
    payload: list[TrackEvent]


class TrackRequest(BaseModel):
    """A request's body (CONTRACT 1.3)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    track: list[TrackGroup]
