"""Help: ``view`` shows the pages of ``docs/``, which ship with the console."""
