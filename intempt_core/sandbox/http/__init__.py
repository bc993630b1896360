"""The sandbox's HTTP side: what a request must have, what it does, and the responses."""
