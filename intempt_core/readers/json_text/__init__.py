"""JSON text: its values with their offsets, with comments, and where it ends early."""
