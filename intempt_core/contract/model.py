"""The wire model: one event and one request as pydantic models. An error's type is an issue's code.

Bodies are never built from a model: :func:`~intempt_core.contract.body.build_request_body` writes objects as they came.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from intempt_core.contract.fields import (
    EARLIEST_MS,
    IDENTITY_FIELDS,
    Json,
    id_to_text,
    is_event_name,
    is_given,
    read_epoch_ms,
)


def _make_field_error(code: str, hint: str = "") -> PydanticCustomError:
    return PydanticCustomError(code, "{hint}", {"hint": hint})


def _check_name(value: Json) -> Json:
    if is_event_name(value):
        return value
    raise _make_field_error("event_name")


def _require_id(code: str) -> BeforeValidator:
    def check(value: Json) -> Json:
        if not is_given(value):
            raise _make_field_error(code)
        return _check_id(value)

    return BeforeValidator(check)


def _check_id(value: Json) -> Json:
    if is_given(value) and id_to_text(value) is None:
        raise _make_field_error("id_not_text")
    return value


def _check_time(value: Json) -> Json:
    if value is None:
        return value
    time = read_epoch_ms(value)
    if time is None:
        raise _make_field_error("timestamp_unreadable")
    if time < EARLIEST_MS:
        raise _make_field_error("timestamp_before_2010")
    return value


def _check_data(value: Json) -> Json:
    if not isinstance(value, Mapping):
        raise _make_field_error("product_id_missing", "Put an object with the product id into data.")
    return value


_Id = Annotated[Json, BeforeValidator(_check_id)]


class EventData(BaseModel):
    """``data``: ``productId`` and whatever else the shop adds (CONTRACT 1.4, 2.4)."""

    model_config = ConfigDict(extra="allow", frozen=True, validate_default=True)

    productId: Annotated[Json, _require_id("product_id_missing")] = None  # noqa: N815  the wire's own name


class TrackEvent(BaseModel):
    """One EVENT of a payload (CONTRACT 1.4, 2.2–2.7). An error's ``type`` is an issue's code, its ``loc`` the place."""

    model_config = ConfigDict(extra="allow", frozen=True, validate_default=True)

    eventId: Annotated[Json, _require_id("event_id_missing")] = None  # noqa: N815  the wire's own name
    profileId: _Id = None  # noqa: N815  the wire's own name
    userId: _Id = None  # noqa: N815  the wire's own name
    anotherUserId: _Id = None  # noqa: N815  the wire's own name
    accountId: _Id = None  # noqa: N815  the wire's own name
    anotherAccountId: _Id = None  # noqa: N815  the wire's own name
    sessionId: _Id = None  # noqa: N815  the wire's own name
    pageId: _Id = None  # noqa: N815  the wire's own name
    timestamp: Annotated[Json, BeforeValidator(_check_time)] = None
    data: Annotated[EventData, BeforeValidator(_check_data)] = Field(default=None)  # type: ignore[assignment]  # validated

    @model_validator(mode="wrap")
    @classmethod
    def _check_identity(cls, value: Json, handler: ModelWrapValidatorHandler["TrackEvent"]) -> "TrackEvent":
        """CONTRACT 2.3, beside the field errors and not only where there are none."""
        if not isinstance(value, Mapping):
            raise _make_field_error("event_not_object")
        nobody = not any(is_given(value.get(field)) for field in IDENTITY_FIELDS)
        try:
            event = handler(value)
        except ValidationError as error:
            if not nobody:
                raise
            raise ValidationError.from_exception_data(
                cls.__name__,
                [
                    *(
                        InitErrorDetails(
                            type=_make_field_error(e["type"], e.get("ctx", {}).get("hint", "")),
                            loc=e["loc"],
                            input=e["input"],
                        )
                        for e in error.errors(include_url=False)
                    ),
                    InitErrorDetails(type=_make_field_error("identity_missing"), loc=(), input=None),
                ],
            ) from None
        if nobody:
            raise _make_field_error("identity_missing")
        return event


class TrackGroup(BaseModel):
    """One ``{"name": NAME, "payload": [EVENT, …]}`` (CONTRACT 1.3)."""

    model_config = ConfigDict(extra="allow", frozen=True, validate_default=True)

    name: Annotated[str, BeforeValidator(_check_name)] = ""
    payload: list[TrackEvent]


class TrackRequest(BaseModel):
    """A request's body (CONTRACT 1.3)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    track: list[TrackGroup]
