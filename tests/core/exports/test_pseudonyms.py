"""No identity is left, however a server writes it, and no pseudonym is changed again."""

import json
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract.fields import BLANK_CHARACTERS
from intempt_core.contract.id_forms import is_placeholder
from intempt_core.exports.escapes import ESCAPE_FUNCTIONS
from intempt_core.exports.pseudonyms import Pseudonymizer

SALT = b"s" * 32


@pytest.mark.parametrize(
    ("id_", "form"),
    [
        ("jürgen@müller.de", json.dumps("jürgen@müller.de")[1:-1]),
        ("jürgen@müller.de", r"j\u00FCrgen@m\u00FCller.de"),
        ("jürgen@müller.de", r"j\\u00fcrgen@m\\u00fcller.de"),
        ("jürgen@müller.de", "JÜRGEN@MÜLLER.DE"),
        ("jürgen@müller.de", "j&uuml;rgen@m&uuml;ller.de"),
        ("jürgen@müller.de", "j&#252;rgen@m&#252;ller.de"),
        ("jürgen@müller.de", "j%c3%bcrgen@m%C3%BCller.de"),
        ("groß@x.de", "GROSS@X.DE"),
        ("İstanbul@x.de", "İSTANBUL@X.DE"),
        ("shop/anna", r"shop\/anna"),
        ('anna "b" c', json.dumps('anna "b" c')[1:-1]),
        ("o'brien@x.de", "o&#39;brien@x.de"),
        ("o'brien@x.de", escape("o'brien@x.de")),
        ("o'brien@x.de", r"o\u0027brien@x.de"),
        ("a&b@x.de", "a&amp;b@x.de"),
        ("anna+1@x.de", "anna%2B1%40x.de"),
        ("anna+1@x.de", "anna%2b1%40x.de"),
        ("anna+1@x.de", "anna%252B1%2540x.de"),
        ("anna b@x.de", quote("anna b@x.de")),
        ("anna b@x.de", quote_plus("anna b@x.de")),
    ],
)
def test_an_identity_is_found_in_each_of_its_forms(id_: str, form: str) -> None:
    names = Pseudonymizer(SALT, iter([{"userId": id_}]))
    assert (
        names.replace_in_text(f"No user <{form}>, {form}.")
        == f"No user <{names.replace_in_text(id_)}>, {names.replace_in_text(id_)}."
    )
    assert names.replace_in_text(form) == names.replace_in_text(id_)


def test_no_other_name_is_changed_again() -> None:
    names = Pseudonymizer(SALT, iter([{"userId": "anna@x.de", "profileId": "pers", "sessionId": "person-"}]))
    replaced = names.replace_in_text("anna@x.de pers person-")
    assert replaced == " ".join(names.replace_in_text(one) for one in ("anna@x.de", "pers", "person-"))


def test_identities_of_different_letter_case_keep_different_names() -> None:
    names = Pseudonymizer(SALT, iter([{"userId": "anna@x.de", "profileId": "ANNA@x.de"}]))
    assert names.replace_in_text("anna@x.de") != names.replace_in_text("ANNA@x.de")
    replaced = [names.replace_in_text("anna@x.de"), names.replace_in_text("ANNA@x.de")]
    assert names.replace_in_text("of anna@x.de ANNA@x.de") == "of " + " ".join(replaced)


def test_a_short_identity_stays_in_a_sentence() -> None:
    names = Pseudonymizer(SALT, iter([{"userId": "a"}]))
    assert names.replace_in_text("a long value") == "a long value"
    assert names.replace_in_text("a") != "a"


OF_NAMES = "person-0123456789abcdef"
APART = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=OF_NAMES + OF_NAMES.upper()), min_size=4)
IDS = APART.filter(lambda text: len(text.strip(BLANK_CHARACTERS)) >= 4 and not is_placeholder(text))


@given(IDS, st.text(OF_NAMES, min_size=4, max_size=7), st.sampled_from(sorted(ESCAPE_FUNCTIONS)), st.booleans())
def test_no_identity_is_left_in_any_form_and_pseudonyms_do_not_change_each_other(
    id_: str, like_a_name: str, how: str, capitals: bool
) -> None:
    names = Pseudonymizer(SALT, iter([{"userId": id_, "profileId": like_a_name}]))
    write = ESCAPE_FUNCTIONS[how]
    form = write(id_.upper() if capitals else id_)
    assert names.replace_in_text(f"<<{form}>>") == f"<<{write(names.replace_in_text(id_))}>>"
