"""Web: who may reach the console over HTTP and its web socket. Middleware and checks, without Streamlit.

Each stands before the application that answers, so that what may not pass never reaches it:

- ``origins``: web origins, and the addresses at which the console answers
- ``guard``: every request's Host and Origin against these addresses; CORS for the sandbox
- ``password``, ``password_page``, ``throttle``: the password, once a browser; its page; its attempts bounded
- ``metrics_token``: the token with which a program reads metrics that are not for everybody
- ``socket_filter``: the messages of the web socket, by their kind
- ``response_headers``: what browsers may do with a response, and what they may keep of it
- ``console_cookie``: by which a console notices that a browser reaches others too
- ``frontend_page``: the page of Streamlit's frontend, and the content security policy under which it runs
- ``malformed_input``: what is no HTTP and no handshake, answered with 400 and logged without a traceback
- ``slow_connections``: clients that send or take next to nothing at a time, closed and bounded in number
- ``exposure``: whether other machines reach it, and what has to be set then
- ``access``: all of it, made from settings; ``sandbox_access``: what stands before a sandbox that is served alone
- ``private_files``: files that only their owner may read
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
