"""A case file holds one whole request, identifies no person unless asked, runs nothing, and is read again."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract.fields import BLANK_CHARACTERS
from intempt_core.contract.id_forms import is_placeholder
from intempt_core.contract.outcome import Outcome
from intempt_core.errors import NotFound, ReadError
from intempt_core.exports.case_file import build_case, dump_case, read_case, render_case_page
from intempt_core.exports.personal_values import list_replaced_keys
from intempt_core.exports.pseudonyms import Pseudonymizer
from intempt_core.exports.salt import SALT_FILE, Salt, check_salt, load_salt
from intempt_core.history import AttemptEnd, AttemptStart, History
from intempt_core.readers.payload import read_payload
from intempt_core.transport.track_client import REJECTION_REASONS
from tests.core.history.factories import ME, SHOP, attempt, event, intent, request

DATA = Path(__file__).parents[2] / "data"
SALT = check_salt(b"s" * 32)
EVIL = "</pre><script>alert(1)</script>&amp;<img src=x onerror=y>\u202e"


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    opened = History.open(f"sqlite:///{tmp_path / 'history.sqlite3'}")
    yield opened
    opened.close()


def sent(history: History, body: object, answer: bytes = b"{}") -> int:
    raw = json.dumps(body).encode() if not isinstance(body, bytes) else body
    batch = history.recorder.record(intent(owner=ME, label="for anna@shop.example"), [request(1, 1, [event(1)], raw)])
    (work,) = history.queue.take(batch, 1, 1)
    settled = AttemptEnd(
        work.id, attempt(Outcome.REJECTED, response_body=answer, response_length=len(answer), headers=(("x", EVIL),))
    )
    history.queue.apply_transitions([AttemptStart(work.id), settled], owner=ME)
    return work.id


ANNA = {"eventId": "for-anna@shop.example-1", "userId": "anna@shop.example", "profileId": 12345678901234567890,
        "sessionId": " s-77\u200b1 ", "accountId": "undefined", "userAttributes": {"mail": "anna.b@home.example"},
        "data": {"productID": "SKU", "note": f"of anna@shop.example {EVIL}"}}  # fmt: skip


def test_no_identity_is_in_a_case_and_what_is_wrong_is_kept(history: History) -> None:
    body = {"track": [{"name": "product viewed", "payload": [ANNA]}]}
    id_ = sent(history, body, b"anna@shop.example is not known")
    case = build_case(history, id_, "1.0", salt=SALT)
    text = dump_case(case) + "".join(render_case_page(case))
    for named in ("anna", "12345678901234567890", "s-77", "home.example"):
        assert named not in text
    again = json.loads(case["request"]["body"])["track"][0]["payload"][0]
    assert again["accountId"] == "undefined"
    assert again["sessionId"][0] == again["sessionId"][-1] == " "
    assert "\u200b" in again["sessionId"]
    assert again["userId"] in again["eventId"]
    assert again["userId"] in case["attempts"][0]["response"]
    assert isinstance(again["profileId"], int)
    assert again["data"]["productID"] == "SKU"
    codes = {problem["code"] for problem in case["problems"]}
    assert codes == {"event_name", "product_id_missing", "id_white_space", "id_placeholder", "id_number"}
    assert build_case(history, id_, "1.0", salt=SALT)["request"] == case["request"]
    assert build_case(history, id_, "1.0", salt=check_salt(b"o" * 16))["request"] != case["request"]


def test_no_identity_is_in_a_product_in_the_place_of_a_problem_or_in_the_note_of_a_fix(history: History) -> None:
    event_ = {"eventId": "e-1", "userId": "anna@shop.example",
              "data": {"productId": "anna@shop.example", "nested": {"anna@shop.example": 1}}}  # fmt: skip
    raw = json.dumps({"track": [{"name": "Product viewed", "payload": [event_]}]}).encode()
    notes = {"fixes": [{"message": "“anna@shop.example” became “bert@shop.example” in 1 row"}]}
    named = event(1, product_id="anna@shop.example")
    batch = history.recorder.record(intent(owner=ME, notes=notes), [request(1, 1, [named], raw)])
    (work,) = history.queue.take(batch, 1, 1)
    case = build_case(history, work.id, "1.0", salt=SALT)
    for name in ("anna@", "bert@"):
        assert name not in dump_case(case) + "".join(render_case_page(case))


@pytest.mark.parametrize(
    ("who", "written"),
    [
        ("jürgen@müller.de", r"j\u00fcrgen@m\u00fcller.de"),
        ("jürgen@müller.de", "JÜRGEN@Müller.DE"),
        ('Max/1"2', r"Max\/1\"2"),
        ("o'brien@x.de", "o&#39;brien@x.de"),
        ("a&b<c>", "a&amp;b&lt;c&gt;"),
        ("anna+1@x.de", "anna%2B1%40x.de"),
        ("anna+1@x.de", "anna%2b1%40x.de"),
        ("anna smith", "anna+smith"),
    ],
)
def test_no_identity_is_in_a_response_that_escapes_it(history: History, who: str, written: str) -> None:
    body = {"track": [{"name": "Product viewed", "payload": [{**ANNA, "userId": who}]}]}
    case = build_case(history, sent(history, body, f"<p>No user {written}.</p>".encode()), "1.0", salt=SALT)
    assert written not in json.dumps(case, ensure_ascii=False)
    (attempt_,) = case["attempts"]
    assert re.fullmatch(r"<p>No user person-\w+\.</p>", attempt_["response"])


def test_no_identity_is_looked_for_in_a_pseudonym() -> None:
    names = Pseudonymizer(SALT.secret, iter([{"userId": "anna@x.de", "profileId": "person", "accountId": "erso"}]))
    replaced = names.replace_in_text("of anna@x.de and a person")
    assert re.fullmatch(r"of person-\w{10} and a person-\w{10}", replaced)
    assert names.replace_in_text("anna@x.de") in replaced


def test_no_identity_is_in_a_response_or_a_reason_that_escape_it(history: History) -> None:
    user = "jürgen@müller.de"
    raw = json.dumps({"track": [{"name": "A", "payload": [{"eventId": "e-1", "userId": user}]}]}).encode()
    batch = history.recorder.record(intent(owner=ME), [request(1, 1, [event(1)], raw)])
    (work,) = history.queue.take(batch, 1, 1)
    answer = json.dumps({"message": "No user " + user})
    tried = attempt(Outcome.REJECTED, status=400, response_body=answer.encode(), reason=f"The server said: {answer}")
    history.queue.apply_transitions([AttemptStart(work.id), AttemptEnd(work.id, tried)], owner=ME)
    case = build_case(history, work.id, "1.0", salt=SALT)
    again = json.loads(case["request"]["body"])["track"][0]["payload"][0]["userId"]
    assert json.loads(case["attempts"][0]["response"]) == {"message": "No user " + again}
    assert again in case["attempts"][0]["reason"]
    assert any(again in one["what"] for one in case["timeline"])
    text = dump_case(case) + "".join(render_case_page(case))
    assert "rgen@" not in text
    assert "ller.de" not in text


def test_as_sent_is_byte_for_byte(history: History) -> None:
    body = json.dumps({"track": [{"name": "A", "payload": [ANNA]}]}, indent=3).encode()
    case = build_case(history, sent(history, body), "1.0", salt=None)
    assert case["request"]["body"] == body.decode()
    assert case["identities"] == "as sent"


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, [name for name, _ in attrs]))


def test_the_page_runs_nothing_loads_nothing_and_is_opened_again(history: History) -> None:
    body = {"track": [{"name": EVIL, "payload": [{"eventId": EVIL, "userId": EVIL, "data": {"productId": EVIL}}]}]}
    case = build_case(history, sent(history, body, EVIL.encode()), "1.0", salt=None)
    page = "".join(render_case_page(case))
    tags = Tags()
    tags.feed(page)
    assert {tag for tag, _ in tags.found} == {
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "table", "tr", "th", "td", "pre"
    }  # fmt: skip
    assert {name for _, names in tags.found for name in names} == {"lang", "charset", "http-equiv", "content", "id"}
    assert "default-src 'none'" in page
    assert not re.search(r"(?:src|href)=\"", page)
    for text in (page, dump_case(case)):
        opened = read_case(text)
        assert opened is not None
        assert json.loads(opened.body) == body
        assert any("rejected" in fact for fact in opened.facts)
        assert read_payload(opened.body).recognised == "request body, 1 group, 1 event"


@pytest.mark.parametrize(
    "text", ["", "{}", '{"track": []}', "<html></html>", "case_file", '["case_file"]', '<pre id="case-file">x</pre>']
)
def test_what_is_no_case_file_is_none(text: str) -> None:
    assert read_case(text) is None


@pytest.mark.parametrize(
    "text",
    [
        '{"case_file": 1}',
        '{"case_file": 3, "request": {"body": ""}}',
        '{"case_file": 1, "request": {"body": 5}}',
        '{"case_file": 1,',
        '<pre id="case-file">{"case_file": 1',
    ],
)
def test_half_a_case_file_is_a_sentence(text: str) -> None:
    with pytest.raises(ReadError):
        read_case(text)


@pytest.mark.parametrize("name", ["case_file_1.json", "case_file_1.html"])
def test_a_case_file_of_version_1_is_read(name: str) -> None:
    opened = read_case((DATA / name).read_text())
    assert opened is not None
    assert (opened.made_at, opened.identities) == ("2025-11-24 16:00:00.000 UTC", "as sent")
    assert read_payload(opened.body).recognised == "request body, 1 group, 2 events"
    assert "label events.csv, source file, policy stop" in opened.facts[1]
    assert opened.facts[-1] == 'response 1: 400 {"message": "The name is not known."}'


def test_a_case_of_what_is_not_there_is_not_found(history: History) -> None:
    with pytest.raises(NotFound):
        build_case(history, 99, "1.0", salt=None)


def test_a_body_that_cannot_be_read_is_left_out_where_identities_are_pseudonyms(history: History) -> None:
    id_ = sent(history, b'{"userId": "anna')
    assert "anna" not in dump_case(build_case(history, id_, "1.0", salt=SALT)["request"])
    assert build_case(history, id_, "1.0", salt=None)["request"]["body"] == '{"userId": "anna'
    assert "".join(render_case_page(build_case(history, id_, "1.0", salt=None)))


def test_the_salt_is_made_once_and_only_its_user_reads_it(tmp_path: Path) -> None:
    salt = load_salt(tmp_path)
    assert (len(salt.secret), salt.note) == (32, "")
    assert load_salt(tmp_path) == salt
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damaged", [b"", b"short", b"fifteen bytes.."])
def test_an_empty_or_short_salt_is_replaced_and_that_is_said(
    history: History, tmp_path: Path, caplog: pytest.LogCaptureFixture, damaged: bytes
) -> None:
    (tmp_path / SALT_FILE).write_bytes(damaged)
    salt = load_salt(tmp_path)
    assert "The secret of the pseudonyms" in salt.note
    assert salt.note in caplog.text
    assert load_salt(tmp_path) == Salt(salt.secret)
    id_ = sent(history, {"track": [{"name": "A", "payload": [ANNA]}]})
    for used in (salt, Salt(damaged)):
        case = build_case(history, id_, "1.0", salt=used)
        assert "was replaced: other case files have other pseudonyms" in case["note"]
        assert case["note"] in "".join(render_case_page(case))
    bodies = {build_case(history, id_, "1.0", salt=Salt(damaged))["request"]["body"] for _ in range(2)}
    assert len(bodies) == 2  # a secret that everybody can guess is never used


def test_the_values_of_chosen_keys_are_kept_and_of_no_others(history: History) -> None:
    data = {"productId": "SKU-1", "colour_code": "teal", "age": 41, "more": {"tier": "gold-plus", "who": "Zoltan K"}}
    body = {"track": [{"name": "Product viewed", "payload": [{"eventId": "e-1", "userId": "zoltan-7", "data": data}]}]}
    id_ = sent(history, body)
    assert list_replaced_keys(body) == ["colour_code", "age", "tier", "who"]
    case = build_case(history, id_, "1.0", salt=SALT, kept_keys=["age", "tier"])
    again = json.loads(case["request"]["body"])["track"][0]["payload"][0]["data"]
    assert (again["age"], again["productId"]) == (41, "SKU-1")
    (_, more) = list(again.values())[1], list(again.values())[3]
    assert more["tier"] == "gold-plus"
    assert "teal" not in dump_case(case)
    assert "Zoltan" not in dump_case(case)
    assert "So are the values of age, tier." in "".join(render_case_page(case))
    (other,) = {
        json.loads(build_case(history, id_, "1.0", salt=SALT)["request"]["body"])["track"][0]["payload"][0]["data"][
            "age"
        ]
    }
    assert other != 41
    assert len(str(other)) == 2


def test_repeated_keys_white_space_and_the_form_of_numbers_stay(history: History) -> None:
    raw = b"""{"track": [{"name":"Product viewed" , "payload":[ {"eventId":"e-1","userId":"anna-b","userId":"anna-c",
      "timestamp":1669650, "data":{"productId":"p-1","weightOf":12.50,"big":12345678.901234567891}} ]}]}"""
    case = build_case(history, sent(history, raw), "1.0", salt=SALT)
    body = case["request"]["body"]
    form = re.sub(r"[0-9]", "9", re.sub(r"person-\w{10}|anna-\w", "id", body))
    kept = re.sub(r"[0-9]", "9", re.sub(r"anna-\w", "id", raw.decode()))
    assert re.sub(r'"w\w{10}"|"weightOf"|"big"', '"key"', form) == re.sub(r'"weightOf"|"big"', '"key"', kept)
    codes = {problem["code"] for problem in case["problems"]}
    assert codes == {"timestamp_before_2010", "key_repeated", "number_precision"}


def test_the_console_s_own_sentences_stay_as_they_are(history: History) -> None:
    case = build_case(history, sent(history, {"track": []}), "1.0", salt=SALT)
    assert case["target"]["address"] == SHOP.track_url
    reasons = [
        "api.intempt.com answered 400 Bad Request: it does not accept this body as it is.",
        *(f"api.intempt.com answered {status}: {meaning}" for status, meaning in REJECTION_REASONS.items()),
        "api.intempt.com accepted it: 201 Created. The body is not JSON but an HTML page.",
        "No connection to api.intempt.com within 10 s. Nothing was sent.",
        "api.intempt.com closed the connection without a response. The events may have arrived.",
        'api.intempt.com answered 400 Bad Request: it says: {"message": "The field userId is missing in payload[3]"}',
    ]
    for reason in reasons:
        names = Pseudonymizer(SALT.secret, [ANNA], (), ["api.intempt.com"])
        assert names.replace_in_text(reason) == reason


@given(st.text(min_size=4, max_size=12), st.text(max_size=8), st.text(max_size=8))
def test_an_identity_is_found_in_every_text_and_the_same_is_always_the_same(id_: str, a: str, b: str) -> None:
    names = Pseudonymizer(SALT.secret, iter([{"userId": id_}]))
    core = id_.strip(BLANK_CHARACTERS)
    if not core or is_placeholder(id_):
        assert names.replace_in_text(id_) == id_
        return
    assert names.replace_in_text(id_) == Pseudonymizer(SALT.secret, iter([{"profileId": id_}])).replace_in_text(id_)
    assert id_ not in names.replace_in_text(a + id_ + b) or id_ in a + names.replace_in_text(id_) + b
