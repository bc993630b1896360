"""``generate``: a fixture by the command line, and what is said where it cannot be written or made."""

import errno
from pathlib import Path

import pytest

from intempt_core.cli import main
from intempt_core.cli.commands import generate
from intempt_core.cli.exit_codes import ExitCode
from intempt_core.contract import ISSUE_KINDS


def call(*arguments: object) -> int:
    return main(["generate", *map(str, arguments)], {})


def test_what_it_writes_is_as_check_expects_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "tests.csv"
    defects = "product_id_missing=2%,timestamp_before_2010=1%,event_name=0.5%,identity_missing=1%,event_id_repeated=3%"
    assert call("--persons", 60, "--seed", 7, "--defects", defects, "--out", out) == 0
    assert "of 60 persons: ok " in capsys.readouterr().err
    assert main(["check", str(out), "--expect"], {}) == 0
    assert "0 not." in capsys.readouterr().out


def test_standard_output_gets_the_same_bytes(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    out = tmp_path / "events.jsonl"
    assert call("--rows", 300, "--form", "jsonl", "--out", out) == 0
    capfdbinary.readouterr()
    assert call("--rows", 300, "--form", "jsonl") == 0
    assert capfdbinary.readouterr().out == out.read_bytes()


def test_products_come_from_a_catalogue(tmp_path: Path) -> None:
    items, out = tmp_path / "items.csv", tmp_path / "tests.csv"
    items.write_text('sku,title\n"A,1",Shirt\nB2,Shoe\n')
    defects = "product_unknown=5%"
    assert call("--products", items, "--catalogue-column", "sku", "--defects", defects, "--out", out) == 0
    check = ["check", str(out), "--expect", "--catalogue", str(items), "--catalogue-column", "sku"]
    assert main(check, {}) == 0


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_every_code_is_listed(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--list-defects", "--form", form) == 0
    lines = [line.strip().partition(":")[0] for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert sorted(lines) == sorted(ISSUE_KINDS)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--persons", "0"], "0 persons have no events."),
        (["--defects", "product_missing=2%"], "Did you mean “product_id_missing”?"),
        (["--defects", "event_name=120%"], "Say 100% or less."),
        (["--defects", "event_name=70%,identity_missing=40%"], "The shares are 110%"),
        (["--products", "nowhere.csv"], "The catalogue nowhere.csv cannot be used"),
    ],
)
def test_what_cannot_be_made_is_one_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*arguments) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert not said.out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--persons", "many"], "“many” is no number"),
        (["--catalogue-column", "sku"], "say --products beside it"),
    ],
)
def test_a_wrong_call_ends_with_2(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call(*arguments)
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_a_file_that_is_there_is_not_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "tests.csv"
    out.write_text("mine")
    assert call("--out", out) == 1
    assert "is there already. Say --force" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert call("--out", out, "--force") == 0
    assert out.read_text().startswith("expect,name,")


def test_the_catalogue_itself_is_not_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    items = tmp_path / "items.csv"
    items.write_text("productId\nA1\n")
    assert call("--products", items, "--out", items, "--force") == 1
    assert "is the file to read itself" in capsys.readouterr().err


def test_a_full_disk_leaves_no_half_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_disk(_request: object) -> object:
        class Full:
            rows, labels = 0, dict[str, int]()

            def iter_bytes(self) -> object:
                yield b"expect,"
                raise OSError(errno.ENOSPC, "No space left on device")

        return Full()

    monkeypatch.setattr(generate, "generate_fixture", fill_disk)
    assert call("--out", tmp_path / "tests.csv") == 1
    assert "cannot be written to" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_reader_that_stops_reading_ends_it_without_a_traceback(tmp_path: Path) -> None:
    import subprocess
    import sys

    line = f"{sys.executable} -m intempt_core generate --rows 40000 | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == [str(ExitCode.OUTPUT_CLOSED.value)]
    assert "Traceback" not in done.stderr
