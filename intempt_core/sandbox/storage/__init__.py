"""The sandbox's storage: what arrived, who is one person, and what the feeds show."""
