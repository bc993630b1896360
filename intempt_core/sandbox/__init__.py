"""A local Track API and feed API, real HTTP on a database of its own (CONTRACT 1–6).

A server that uses one of the vendor's SDKs, pointed here, must not notice the difference for track, identify, group,
alias, consent and recommend calls. The same application is mounted in the console and served alone.

- ``reading`` and ``asking``: bodies → judged events, feed questions, consents
- ``persons``: who is who
- ``schema`` and ``store``: the database; ``listing``: what it tells
- ``guards`` and ``answers``: who may come in, and what is said
- ``routes`` and ``serving``: the application, and a server for it
"""

from intempt_core.contract import FaultDocument, FaultDocumentUnreadable, parse_fault_document
from intempt_core.sandbox.guards import MAX_BODY_BYTES, SANDBOX_KEY, build_standalone_middleware
from intempt_core.sandbox.routes import create_sandbox_app
from intempt_core.sandbox.serving import run_sandbox

__all__ = [
    "SANDBOX_KEY",
    "MAX_BODY_BYTES",
    "FaultDocument",
    "FaultDocumentUnreadable",
    "create_sandbox_app",
    "parse_fault_document",
    "run_sandbox",
    "build_standalone_middleware",
]
