"""The Feeds screen."""
