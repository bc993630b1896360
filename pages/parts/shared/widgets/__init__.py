"""Components of our own: their markup, style and script stand beside each."""
