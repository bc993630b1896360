"""Targets: where events can be sent, what each promises, a connection test; targets are added, edited and deleted."""

from pages.parts.shared.session_targets import get_selected_target
from pages.parts.targets.cards_view import show_targets
from pages.parts.targets.catalogue_view import show_catalogue
from pages.parts.targets.form_view import show_add_button, show_target_form
from pages.parts.targets.state import get_targets_state

if get_targets_state().is_adding:
    show_target_form()
else:
    show_add_button()
show_targets()
show_catalogue(get_selected_target())
