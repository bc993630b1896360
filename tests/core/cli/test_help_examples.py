"""Every example in the help of a command is called, with the files that it names."""

import io
import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from intempt_core import __version__
from intempt_core.cli import main
from intempt_core.cli.parser import COMMANDS, build_parser
from intempt_core.history import History
from intempt_core.journeys import parse_journey
from intempt_core.mapping import Mapping, MappingFolder, MappingStore, SavedMapping
from intempt_core.sandbox import run_sandbox
from intempt_core.settings import PROJECT_FOLDER, Settings
from tests.core.dispatch.factories import OK, decides
from tests.core.transport.fault_server import hostile

TESTED_ELSEWHERE = re.compile(r"^(?:\w+=\S+ )*(?:sandbox|console|worker|move|backup|restore)\b|^tail(?!.*--once)")
"""Examples that end when somebody ends them, or that need a database server; what they do is tested elsewhere."""

HEADER = "name,eventId,userId,productId\n"
ROWS = "".join(f"Product viewed,e{n},u{n},p{n}\n" for n in range(3))
SHOP = "what,user,sku,when\nview,u1,p1,2022-10-01 00:00:00\nview,u2,p2,2022-10-01 00:00:00\n"
MAPPING = {
    "columns": {"what": "name", "user": "userId", "sku": "data.productId", "when": "timestamp"},
    "names": {"view": "Product viewed"},
}
JOURNEY = {
    "name": "first-order",
    "person": {"userId": "u1"},
    "product": {"productId": "p1"},
    "events": [{"name": "Product ordered"}],
}


def list_examples(command: str) -> list[str]:
    """The calls under “examples” in the help of a command, without what is said beside them."""
    epilog = next(one.epilog for one in COMMANDS if one.name == command)
    block = re.search(r"examples?:\n(.*?)\n\n", epilog, re.DOTALL)
    assert block, f"the help of {command} has no examples"
    lines = block[1].replace("\\\n", " ").splitlines()
    return [re.split(r"\s{3,}(?![\s-])", line.strip())[0] for line in lines]


EXAMPLES = [
    (command.name, number, example)
    for command in COMMANDS
    for number, example in enumerate(list_examples(command.name))
    if not TESTED_ELSEWHERE.search(example.partition("intempt_core ")[2] or example)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every file that an example names."""
    made = tmp_path_factory.mktemp("examples")
    for name in ("events.csv", "a.csv", "exports/one.csv", "tests/one.csv"):
        (made / name).parent.mkdir(exist_ok=True)
        (made / name).write_text(HEADER + ROWS)
    (made / "tests.csv").write_text(HEADER.replace("\n", ",expect\n") + "Product viewed,e1,u1,p1,ok\n")
    (made / "shop.csv").write_text(SHOP)
    (made / "shop.json").write_text(json.dumps(MAPPING))
    (made / "report.csv").write_bytes(b"Orders\n\nOctober\n\n\n" + (HEADER + ROWS).replace(",", ";").encode("cp1252"))
    for name in ("items.csv", "catalogue.csv"):
        (made / name).write_text("sku,productId,name\np0,p0,a\np1,p1,b\np2,p2,c\n")
    rules = (PROJECT_FOLDER / "docs" / "rules.md").read_text("utf-8")
    (made / "tracking-plan.json").write_text(re.findall(r"```json\n(.*?)```", rules, re.DOTALL)[0])
    event = {"name": "Product viewed", "eventId": "e1", "userId": "u1", "data": {"productId": "p1"}}
    for name in ("b.jsonl", "tests.jsonl", "export.jsonl"):
        (made / name).write_text(json.dumps(event) + "\n" + json.dumps({**event, "eventId": "e2"}) + "\n")
    (made / "journey.json").write_text(json.dumps(JOURNEY))
    book = openpyxl.Workbook()
    sheet = book.create_sheet("Orders")
    for line in (HEADER + ROWS).splitlines():
        sheet.append(line.split(","))
    book.save(made / "book.xlsx")
    (made / "generate").mkdir()
    (made / "generate" / "catalogue.csv").write_text("productId\np0\np1\n")
    settings = Settings(data=made / "data")
    MappingStore(MappingFolder(settings.mappings_folder)).save(
        SavedMapping("cosmetics", ("what", "user", "sku", "when"), Mapping.from_json(json.dumps(MAPPING)))
    )
    history = History.open(settings.history_url)
    history.journeys.save(parse_journey(json.dumps(JOURNEY)))
    history.close()
    return made


@pytest.fixture(scope="module")
def environment(folder: Path) -> Iterator[dict[str, str]]:
    """The variables of a call, with a target “shop” and a sandbox that respond."""
    with hostile(decides(lambda _: OK)) as server, run_sandbox(folder / "sandbox.sqlite3") as sandbox:
        shop = {"HOST": server.url, "ORG": "acme", "PROJECT": "shop", "SOURCE": "1001", "KEY": "pre.secretsecret"}
        yield {
            "CONSOLE_DATA": str(folder / "data"),
            "CONSOLE_SANDBOX": sandbox,
            **{f"CONSOLE_TARGET_SHOP_{name}": value for name, value in shop.items()},
        }


@pytest.mark.parametrize(
    ("command", "number", "example"), EXAMPLES, ids=[f"{command}-{number}" for command, number, _ in EXAMPLES]
)
def test_an_example_can_be_called_as_it_stands(
    folder: Path,
    environment: dict[str, str],
    command: str,
    number: int,
    example: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder / "generate" if command == "generate" else folder)
    if not (folder / "last.json").exists():
        assert main(["check", str(folder / "events.csv"), "--format", "json"], environment) == 0
        (folder / "last.json").write_text(capsys.readouterr().out)
    piped = example.partition(" | ")[2]
    if piped:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((folder / "events.csv").read_bytes())))
    call, _, out = (piped or example).partition(" > ")
    words = shlex.split(call.replace("1000000", "1000"))
    given = dict(environment)
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        given[name] = value
    words = words[3:] if words[:3] == ["python", "-m", "intempt_core"] else words
    words = [re.sub(r"https://api\.intempt\.com", environment["CONSOLE_TARGET_SHOP_HOST"], word) for word in words]
    again = (
        ["--again"] if words[0] == "send" and not {"--rest", "--again", "--resume", "--dry-run"} & set(words) else []
    )
    for leftover in ("results.csv", "more.csv"):
        (folder / leftover).unlink(missing_ok=True)
    code = main([*words, *again], given)
    told = capsys.readouterr()
    if "--resume" in words:
        assert (code, "There is nothing to resume" in told.err) == (1, True)
    elif words[0] == "send" and not {"--yes", "--dry-run"} & set(words):
        assert (code, "Say --yes" in told.err) == (1, True)  # there is no terminal to ask at
    else:
        assert code == (1 if "--fail-under" in words else 0), told.err
    if out and not (folder / out.split()[0]).exists():
        (folder / out.split()[0]).write_text(told.out, "utf-8")


def test_every_command_has_help_with_examples() -> None:
    assert [command.name for command in COMMANDS] == (
        "console check send sandbox worker suggest tail generate coverage schema settings move backup restore".split()
    )
    assert all(list_examples(command.name) for command in COMMANDS)


def test_examples_that_serve_for_ever_can_be_parsed() -> None:
    for command in ("sandbox", "tail"):
        for example in list_examples(command):
            assert build_parser().parse_args(shlex.split(example.partition(" > ")[0])).command == command


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"], {})
    assert (end.value.code, capsys.readouterr().out) == (0, f"event-console {__version__}\n")
