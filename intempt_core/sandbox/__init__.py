"""Sandbox: a local Track API and feed API, real HTTP on a database of its own (CONTRACT 1–6).

A server that uses one of the vendor's SDKs, pointed here, does not notice the difference for track, identify, group,
alias, consent and recommend calls. The same application is mounted in the console and served alone.

- ``http/routes``, ``http/server``: the application, and a server for it
- ``http/auth``, ``http/body_limits``: what a request must have, and how many large bodies are in memory
- ``http/received_request``, ``http/queries``, ``http/event_queries``: the request and its questions
- ``http/waiting``: requests that wait for events
- ``http/responses``, ``http/openapi``: JSON responses and the OpenAPI document
- ``http/fault_injector``, ``http/fault_responses``: simulated failures
- ``storage/store``, ``storage/schema``: the database and its writer thread
- ``storage/parser``, ``storage/fast_path``: bodies become checked events
- ``storage/projection``, ``storage/persons``, ``storage/counted_events``: what follows from the events
- ``storage/listing``, ``storage/person_arrivals``, ``storage/live``, ``storage/shared_feeds``: what is read from them
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
