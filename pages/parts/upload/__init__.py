"""The Upload screen, step by step."""
