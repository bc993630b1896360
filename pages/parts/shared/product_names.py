"""What the catalogue calls a product, beside its id."""

import streamlit as st

from intempt_core.targets import derive_target_key
from pages.parts.shared.services import get_services
from pages.parts.shared.session_targets import get_selected_target


def show_product_name(product: object) -> None:
    """Show a product's name in the catalogue of the selected target, where it has one."""
    catalogue = get_services().catalogue(derive_target_key(get_selected_target()))
    name = catalogue.names_of([product]).get(product) if catalogue and isinstance(product, str) else None
    if name:
        st.text(name)
