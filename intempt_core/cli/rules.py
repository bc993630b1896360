"""The team's own rules of a call: read, held against the file's mapping, and what is to be said of them."""

from pathlib import Path

from intempt_core.cli.input import InputFile
from intempt_core.cli.output import print_message
from intempt_core.validation import TeamRules, read_rules_file


def load_rules(path: Path | None, file: InputFile) -> TeamRules | None:
    """The rules of a file; what is ignored in them, or never asked, is printed. None where no file is named.

    Raises :class:`RulesError` where they are none, or do not go together with the mapping.
    """
    if path is None:
        return None
    rules = read_rules_file(path)
    for note in list_rule_notes(rules, file):
        print_message(f"{rules.name}: {note}")
    return rules


def list_rule_notes(rules: TeamRules, file: InputFile) -> list[str]:
    """What is ignored in the rules, and what is never asked of the events of this file, as sentences.

    Raises :class:`RulesError` where rules and mapping do not go together.
    """
    return [*rules.notes, *(rules.check_mapping(file.table) if file.table is not None else ())]
