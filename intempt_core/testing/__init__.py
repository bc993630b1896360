"""Testing: what the tests of an application use that sends events.

- ``pytest_plugin``: the fixture ``track_api``, as pytest finds it; it imports nothing before it is used
- ``track_api``: what the fixture gives: expectations, feeds, simulated failures
- ``process_sandbox``: the sandbox of one test process, and a project of its own for each test
- ``sandbox_door``: the sandbox's HTTP API, asked with the standard library alone
- ``arrived_event``, ``event_matching``: an event that arrived, and whether it is the expected one
- ``arrival_survey``, ``failure_report``, ``difference_messages``: why an expectation failed, as text
- ``feed_products``, ``feed_explanation``: a feed as a list, and why it shows what it shows
- ``strategies``: Hypothesis strategies of events, journeys and events that break a rule; it is imported by itself, for
  it needs Hypothesis
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
