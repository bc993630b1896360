"""What several screens share: services, state, guards, cards and widgets."""
