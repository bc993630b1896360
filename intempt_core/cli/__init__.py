"""The pipeline without a screen: ``check``, ``send`` and ``sandbox``."""

from intempt_core.cli.entry import main

__all__ = ["main"]
