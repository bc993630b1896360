"""Targets: where events can be sent, with their properties and a connection test."""

from pages.parts.shared.screen_state import get_session
from pages.parts.shared.services import get_services
from pages.parts.targets.view import show_target_card, show_target_example, show_typed_form, show_unusable_target

for problem in get_services().configured.problems:
    show_unusable_target(problem)
for target in {**get_services().targets, **get_session().typed_targets}.values():
    show_target_card(target)
show_typed_form()
show_target_example()
