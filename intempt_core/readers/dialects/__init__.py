"""How a file is read: what a person says of it, and what its first rows and its quoting show."""
