"""The form of a target that is added or edited: a fault stands at its field, and no key is stored."""

import streamlit as st

from intempt_core.contract import FEED_TITLES, format_count
from intempt_core.targets import KEY_VARIABLE_FIELD
from pages.parts.shared.formatting import escape_markdown
from pages.parts.shared.header import STATUS_MEANINGS
from pages.parts.targets.state import (
    DUPLICATES,
    ENVIRONMENTS,
    KEY_FIELD,
    close_form,
    get_targets_state,
    make_field_key,
    make_secret_key,
    open_form,
    save_form,
)

LABELS = {
    "name": "Name",
    "host": "Host",
    "org": "Organisation",
    "project": "Project",
    "source": "Source id",
    KEY_VARIABLE_FIELD: "Environment variable of the key",
    KEY_FIELD: "Key for this session",
    "requests_per_second": "Requests per second",
    "requests_in_flight": "Requests in flight",
    "webhook": "Webhook URL",
    "webhook_secret": "Environment variable of its secret",
}
"""The label of each field; faults stand below it."""

_PLACEHOLDERS = {
    "name": "shop-eu",
    "host": "api.intempt.com",
    "org": "acme",
    "project": "shop",
    "source": "1487580005268456192",
    KEY_VARIABLE_FIELD: "SHOP_EU_KEY",
    "requests_per_second": "no limit",
    "requests_in_flight": "no limit",
    "webhook": "https://hooks.example/console",
    "webhook_secret": "SHOP_EU_WEBHOOK_SECRET",
}
_FIELD_ROWS = (("name", "host"), ("org", "project"))
"""Fields in rows, so that they keep their order on a narrow screen."""

_ENVIRONMENT_HELP = "  \n".join(f"{label}: {STATUS_MEANINGS[label]}" for label in ENVIRONMENTS)
_DUPLICATES_HELP = (
    "What the target does with an event whose id it already has. Choose “ignored” only where you know it: an event"
    " whose response never came is then sent again by itself."
)


def show_add_button() -> None:
    """The button that opens the form of a new target, and what was done last."""
    found = get_targets_state()
    st.button("Add a target", key="target-add", type="primary", icon=":material/add:", on_click=open_form)
    if found.done:
        st.markdown(f":green[●] {escape_markdown(found.done)}")
    if found.trouble and found.editing is None:
        st.markdown(f":red[■] {escape_markdown(found.trouble)}")


def show_target_form() -> None:
    """The form: of a new target, or of the stored one that is edited."""
    found = get_targets_state()
    with st.container(border=True, key="target-form-card"), st.form("target-form", border=False, enter_to_submit=False):
        st.header(f"Edit {escape_markdown(found.editing)}" if found.editing else "Add a target", anchor=False)
        if found.faults:
            fields = format_count(len(found.faults), "field needs", "fields need")
            st.markdown(f":red[■] Not saved: {fields} a change.")
        if found.trouble:
            st.markdown(f":red[■] Not saved: {escape_markdown(found.trouble)}")
        for row in _FIELD_ROWS:
            for column, name in zip(st.columns(2), row, strict=True):
                with column:
                    _show_field(name)
        left, right = st.columns(2)
        with left:
            _show_field("source")
        with right.container(horizontal=True):
            st.segmented_control(
                "Environment", ENVIRONMENTS, key=make_field_key("production"), required=True, help=_ENVIRONMENT_HELP
            )
            st.segmented_control(
                "Duplicates are", DUPLICATES, key=make_field_key("deduplicates"), required=True, help=_DUPLICATES_HELP
            )
        _show_key_fields()
        _show_optional_fields()
        with st.container(horizontal=True):
            st.form_submit_button("Save target", key="target-form-use", type="primary", on_click=save_form)
            st.form_submit_button("Cancel", key="target-form-cancel", on_click=close_form)


def _show_key_fields() -> None:
    """The two ways to the key, neither of which stores it."""
    left, right = st.columns(2)
    with left:
        _show_field(KEY_VARIABLE_FIELD)
    with right, st.container(key=make_field_key(KEY_FIELD), gap="xxsmall"):
        # As for a new password, which a password manager does not fill in unasked.
        st.text_input(
            LABELS[KEY_FIELD],
            type="password",
            key=make_secret_key(),
            autocomplete="new-password",
            placeholder="prefix.secret",
        )
        _show_fault(KEY_FIELD)
    st.caption(
        "The key itself is never stored. Name the variable that has it where the console runs, or type it for this"
        " session: after a reload the target is still here and asks for its key."
    )


def _show_optional_fields() -> None:
    """Feed ids, limits and the webhook."""
    faults = get_targets_state().faults
    feed_fields = [f"feeds.{feed}" for feed in FEED_TITLES]
    with st.expander("Feed ids", key="target-form-feeds", expanded=any(name in faults for name in feed_fields)):
        st.caption("With the id that a feed has there, it can be asked what it shows. Without, it is only predicted.")
        names = list(FEED_TITLES.items())
        for start in range(0, len(names), 2):
            for column, (feed, title) in zip(st.columns(2), names[start : start + 2], strict=False):
                with column:
                    _show_field(f"feeds.{feed}", title)
    limits = ("requests_per_second", "requests_in_flight")
    with st.expander("Limits", key="target-form-limits", expanded=any(name in faults for name in limits)):
        for column, name in zip(st.columns(2), limits, strict=True):
            with column:
                _show_field(name)
    webhook = ("webhook", "webhook_secret")
    with st.expander("Webhook", key="target-form-webhooks", expanded=any(name in faults for name in webhook)):
        st.caption("It is told when a batch has ended, stopped or was paused: with counts, without an event or a key.")
        for column, name in zip(st.columns(2), webhook, strict=True):
            with column:
                _show_field(name)


def _show_field(name: str, label: str = "") -> None:
    with st.container(gap="xxsmall"):
        st.text_input(
            label or LABELS[name], key=make_field_key(name), autocomplete="off", placeholder=_PLACEHOLDERS.get(name)
        )
        _show_fault(name)


def _show_fault(name: str) -> None:
    if sentence := get_targets_state().faults.get(name):
        st.markdown(f":red[■ {escape_markdown(sentence)}]")
