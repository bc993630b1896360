"""A key in a pasted request is masked, whatever tool has copied it; data is left as it is."""

import base64
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract.fields import MASK
from intempt_core.readers.pasted.forms import COPIED_FORMS
from intempt_core.readers.pasted.name_search import search_from_parts
from intempt_core.readers.pasted.pasted_keys import KEY_HINT, KEY_PATTERNS, find_named_keys, mask_pasted_keys

PREFIX = "shopprefix1"
SECRET, KEY, TOKEN = "‹secret›", "‹key›", "‹token›"
"""Places in a text for a secret, for ``prefix.secret`` and for both in base64: each gets a secret of its own."""

URL = "https://api.intempt.com/v1/acme/projects/shop/sources/1487580005268456287/track"
BODY = '{"track":[{"name":"Product viewed","payload":[{"eventId":"e1","userId":"u1","data":{"productId":"p1"}}]}]}'
QUOTED_BODY = json.dumps(BODY)

# fmt: off
COPIED = {
    "Chrome, cURL (bash)": f"""curl '{URL}' \\
  -H 'accept: application/json' \\
  -H 'authorization: Basic {TOKEN}' \\
  -b 'sid={SECRET}; theme=dark' \\
  -H 'content-type: application/json' \\
  --data-raw '{BODY}'""",
    "Chrome, cURL (cmd)": f"""curl ^"{URL}^" ^
  -H ^"accept: application/json^" ^
  -H ^"authorization: Basic {TOKEN}^" ^
  -b ^"sid={SECRET}; theme=dark^" ^
  --data-raw ^"^{{^\\^"track^\\^":[]^}}^" """,
    "Chrome, PowerShell": f"""$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession
$session.Cookies.Add((New-Object System.Net.Cookie("sid", "{SECRET}", "/", "api.intempt.com")))
Invoke-WebRequest -UseBasicParsing -Uri "{URL}" `
-Method "POST" `
-WebSession $session `
-Headers @{{
"accept"="application/json"
  "authorization"="Basic {TOKEN}"
}} `
-ContentType "application/json" `
-Body "{{`"track`":[]}}" """,
    "PowerShell by hand": f"""$headers = @{{ Authorization = 'Basic {TOKEN}'; 'X-Api-Key' = "{KEY}" }}
Invoke-RestMethod -Uri '{URL}?apiKey={KEY}' -Method Post -Headers $headers -Body '{BODY}'
$secure = ConvertTo-SecureString "{SECRET}" -AsPlainText -Force""",
    "curl.exe in PowerShell": f"curl.exe --% -u {PREFIX}:{SECRET} {URL} -d '{BODY}'",
    "Chrome, fetch": f"""fetch("{URL}", {{
  "headers": {{
    "accept": "application/json",
    "authorization": "Basic {TOKEN}",
    "cookie": "sid={SECRET}; theme=dark",
    "content-type": "application/json"
  }},
  "body": {QUOTED_BODY},
  "method": "POST",
  "credentials": "include"
}});""",
    "fetch by hand": f"""const res = await fetch(`{URL}?apiKey={KEY}`, {{
  method: 'POST',
  headers: {{ Authorization: 'Basic ' + btoa('{PREFIX}:{SECRET}'), 'X-API-Key': `{KEY}` }},
}})""",
    "axios": f"""axios.post('{URL}', data, {{ auth: {{ username: '{PREFIX}', password: '{SECRET}' }} }})""",
    "HAR": json.dumps({"log": {"version": "1.2", "entries": [{"request": {
        "method": "POST", "url": f"{URL}?apiKey={KEY}", "httpVersion": "http/2.0",
        "headers": [{"name": "accept", "value": "*/*"}, {"name": "authorization", "value": f"Basic {TOKEN}"},
                    {"name": "Cookie", "value": f"sid={SECRET}"}],
        "queryString": [{"name": "apiKey", "value": KEY}],
        "cookies": [{"name": "sid", "value": SECRET, "path": "/"}, {"value": SECRET, "name": "b"}],
        "postData": {"mimeType": "application/json", "text": BODY}},
        "response": {"headers": [{"name": "set-cookie", "value": f"sid={SECRET}; Path=/"}]}}]}}, indent=2),
    "HTTPie": f"""http POST {URL} apiKey=={KEY} Authorization:'Basic {TOKEN}' X-Api-Key:{KEY} < body.json""",
    "HTTPie with a login": f"http -a {PREFIX}:{SECRET} POST {URL}\nhttps --auth={PREFIX}:{SECRET} {URL}",
    "HTTPie with a token": f"http -A bearer -a {KEY} POST {URL} name=x",
    "wget": f"""wget --quiet --method POST --header 'Authorization: Basic {TOKEN}' \\
  --header "Cookie: a=1; sid={SECRET}" --http-user={PREFIX} --http-password='{SECRET}' \\
  --body-data '{BODY}' --output-document - '{URL}'""",
    "wget with a login": f"wget --user {PREFIX} --password {SECRET} {URL}",
    "Python, requests": f"""import requests
headers = {{'Authorization': 'Basic {TOKEN}', "x-api-key": "{KEY}"}}
cookies = {{'sid': '{SECRET}'}}
response = requests.post('{URL}', params={{'apiKey': '{KEY}'}}, cookies={{'token': '{SECRET}'}}, headers=headers)""",
    "Python, requests with a login": f"""requests.post("{URL}", auth=("{PREFIX}", "{SECRET}"), data=b"")
requests.post("{URL}", auth=HTTPBasicAuth('{PREFIX}', '{SECRET}'))
session.auth = ("{PREFIX}", "{SECRET}")
token = base64.b64encode(b"{PREFIX}:{SECRET}")""",
    "Python, http.client": f"""headers = {{
  'Content-Type': 'application/json',
  'Authorization': 'Basic {TOKEN}'
}}""",
    "Postman, collection": json.dumps({"info": {"_postman_id": "1", "name": "Track"}, "item": [{"request": {
        "auth": {"type": "basic", "basic": [{"key": "password", "value": SECRET, "type": "string"},
                                            {"key": "username", "value": PREFIX, "type": "string"}]},
        "method": "POST", "header": [{"key": "Authorization", "value": f"Basic {TOKEN}", "type": "text"}],
        "body": {"mode": "raw", "raw": BODY},
        "url": {"raw": f"{URL}?apiKey={KEY}", "query": [{"key": "apiKey", "value": KEY}]}}}]}),
    "Postman, value first": json.dumps([{"value": SECRET, "type": "secret", "key": "client_secret"},
                                        {"value": KEY, "enabled": True, "key": "apiKey"}]),
    "Insomnia": json.dumps({"authentication": {"type": "basic", "username": PREFIX, "password": SECRET}}),
    "raw HTTP": f"POST /v1/x/track?apiKey={KEY} HTTP/1.1\r\nHost: api.intempt.com\r\nAuthorization: Basic {TOKEN}\r\n"
                f"Cookie: a=1; sid={SECRET}\r\nX-Api-Key: {KEY}\r\n\r\n{BODY}",
    "raw HTTP with a prompt": f"> POST /track HTTP/1.1\n> Authorization: Bearer {KEY}\n> \n* done",
    "Go": f'req.Header.Add("Authorization", "Basic {TOKEN}")\nreq.SetBasicAuth("{PREFIX}", "{SECRET}")',
    "Java": f'''.addHeader("Authorization", "Basic {TOKEN}")
.header("X-Api-Key", Credentials.basic("{PREFIX}", "{SECRET}"))''',
    "PHP": f"'Authorization: Basic {TOKEN}',\n\"x-api-key\" => \"{KEY}\",",
    "Ruby": f'request["Authorization"] = "Basic {TOKEN}"\nrequest.basic_auth("{PREFIX}", "{SECRET}")',
    "an address": f"https://{PREFIX}:{SECRET}@api.intempt.com/track",
    "the environment": f"export INTEMPT_API_KEY='{KEY}'\nAPI_SECRET={SECRET}",
    "a log": f'10:00 POST {URL}?x=1&apikey={KEY} 401 "Authorization: Basic {TOKEN}"',
    "several commands": f"http -a {PREFIX}:{SECRET} {URL}\ncurl {URL} -d '{BODY}'\nwget --password={SECRET} {URL}",
    "JSON in JSON": json.dumps({"command": json.dumps({"headers": {"Authorization": f"Basic {TOKEN}"}})}),
}
# fmt: on


def fill(text: str) -> tuple[str, list[str]]:
    """A text with a secret in each of its places, and what must not be left of them."""
    forms: list[str] = []

    def make(place: re.Match[str]) -> str:
        secret = f"s3cret-{len(forms)}_of.the~shop9"
        pair = base64.b64encode(f"{PREFIX}:{secret}".encode()).decode()
        forms.append(secret)
        return {SECRET: secret, KEY: f"{PREFIX}.{secret}", TOKEN: pair}[place[0]]

    return re.sub(f"{SECRET}|{KEY}|{TOKEN}", make, text), forms


@pytest.mark.parametrize("tool", COPIED)
def test_no_key_is_left_in_a_request_that_a_tool_has_copied(tool: str) -> None:
    text, secrets = fill(COPIED[tool])
    masked, had = mask_pasted_keys(text)
    assert had
    assert MASK in masked
    for secret in secrets:
        assert secret not in masked
    assert not re.search(r"s3cret|shop9|c2hvcHByZW", masked)  # the last is how each pair begins in base64
    assert re.search(KEY_HINT, text, re.IGNORECASE)
    assert mask_pasted_keys(masked) == (masked, False)


@pytest.mark.parametrize("tool", ["Chrome, cURL (bash)", "HAR", "Postman, collection", "several commands"])
def test_the_body_of_a_copied_request_stays(tool: str) -> None:
    masked, _ = mask_pasted_keys(fill(COPIED[tool])[0])
    assert BODY in masked or json.dumps(BODY)[1:-1] in masked


@pytest.mark.parametrize("key", ["UPPERSECRET1234==", "my-token-9=", "apiKey:abcdefgh1="])
def test_a_key_that_sounds_like_a_name_hides_nothing_beside_it(key: str) -> None:
    command = f"curl '{URL}' -H 'authorization: Basic {key}' -d '{BODY}'"
    assert mask_pasted_keys(command)[0] == command.replace(key, MASK)


@pytest.mark.parametrize("tool", ["HAR", "Postman, collection", "Postman, value first", "Insomnia"])
def test_json_stays_json(tool: str) -> None:
    assert json.loads(mask_pasted_keys(fill(COPIED[tool])[0])[0])


DATA = {
    "token": "blue", "secret": "santa", "password": "none", "key": "prefix123.s3cret-of-the-shop", "cookie": "a9f0",
    "auth": "guest",
    "note": "Basic understanding, Bearer of good news", "url": "https://shop.example/?key=summer&token=1",
    "cookies": ["a", "b"], "apiKeys": 3, "user": "anna@shop.example", "list": [{"name": "size", "value": "XL"}],
}  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"track": [{"name": "Product viewed", "payload": [{"eventId": "e1", "data": DATA}]}]}),
        "\n".join(json.dumps({"eventId": "e1", "data": {name: value}}) for name, value in DATA.items()),
        f"curl {URL} -d '{json.dumps({'eventId': 'e1', 'data': DATA})}'",
        f"echo '{json.dumps({'eventId': 'e1', 'data': DATA})}' | curl {URL} -d @-",
    ],
)
def test_data_that_only_sounds_like_a_key_stays(text: str) -> None:
    assert mask_pasted_keys(text) == (text, False)


@pytest.mark.parametrize(
    "text",
    [
        'headers = {"Authorization": "Basic {{basic}}", "X-Api-Key": "$API_KEY"}',
        "Authorization: Bearer ${TOKEN}",
        'auth=(prefix, secret)\nheaders = {"Authorization": f"Basic {token}"}'.replace('f"Basic {token}"', "basic"),
        "https://api.intempt.com/track?apiKey=<your key>",
        "some-user, his cookie and curl-like things",
    ],
)
def test_a_placeholder_is_no_key(text: str) -> None:
    assert mask_pasted_keys(text) == (text, False)


def test_user_and_password_that_were_given_in_base64_are_masked_wherever_else_they_are() -> None:
    pair = base64.b64encode(f"{PREFIX}:s3cret-of-1-shop".encode()).decode()
    note = f"s3cret-of-1-shop and {PREFIX}.s3cret-of-1-shop"
    masked, _ = mask_pasted_keys(f"curl {URL} -H 'Authorization: Basic {pair}' -d '{{\"note\": \"{note}\"}}'")
    assert "s3cret" not in masked


@given(
    st.lists(
        st.sampled_from(
            [*"aei:=,;()[]{}\"'`\\^ \n&?@/.0-", "Authorization", "Basic ", "apiKey", "curl ", "name", "value"]
        ),
        max_size=60,
    ).map("".join)
)
def test_any_text_is_masked_without_an_error_and_again_without_a_change(text: str) -> None:
    masked, _ = mask_pasted_keys(text)
    assert mask_pasted_keys(masked)[0] == masked


FORM_PIECES = [
    *"aku :=;()[]\"'`\\\n&@/.-_$\u017f\u212a",
    *("-a ", "-u", "--user ", "--Token=", "://", "http", "user:pw@", '"name": ', "'VALUE'", "value", "token", ", "),
    *(
        "\u017fecureString ",
        "'x'",
        "curl",
        "CURL ",
        " -Uri",
        "Invoke-WebRequest",
        "Microsoft.PowerShell.Utility\\",
        "wget",
    ),
    *("iwr", "irm ", "fetch(", "window.", "globalThis.", "Fetch", "url"),
]


@given(st.lists(st.sampled_from(FORM_PIECES), max_size=30).map("".join))
def test_what_is_looked_for_only_where_it_can_begin_is_all_that_there_is(text: str) -> None:
    everywhere = [found.span("value") for pattern in KEY_PATTERNS for found in pattern.finditer(text)]
    assert [found.span("value") for found in find_named_keys(text)] == everywhere
    for form in COPIED_FORMS:
        first, quick = form.begins.search(text), search_from_parts(form.begins, text, form.words)
        assert (first and first.span()) == (quick and quick.span())


def test_a_long_text_is_searched_in_a_moment() -> None:
    events = json.dumps(
        [{"eventId": f"e{n}", "userId": "anna", "data": {"auth": 'x "y"', "name": "value"}} for n in range(20_000)]
    )
    assert mask_pasted_keys(events) == (events, False)
