"""Targets: where events can go, what each promises, and whether it answers."""

from pages.parts import targets_view as view
from pages.parts.house import get_services
from pages.parts.session import get_session

for problem in get_services().configured.problems:
    view.show_unusable_target(problem)
for target in {**get_services().targets, **get_session().typed_targets}.values():
    view.show_target_card(target)
view.show_typed_form()
view.show_target_example()
