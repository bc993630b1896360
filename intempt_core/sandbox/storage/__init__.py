"""The sandbox's storage: stored requests, and the events, persons and feeds that follow from them."""
