"""Targets: where events can go, what each promises, and whether it answers."""

from pages.parts import targets_view as view
from pages.parts.house import house
from pages.parts.session import session

for problem in house().configured.problems:
    view.unusable(problem)
for target in {**house().targets, **session().typed}.values():
    view.card(target)
view.typed_form()
view.how_to_describe()
