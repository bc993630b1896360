"""What several screens share.

State and services:

- ``services``: settings, history, engine and targets of this process.
- ``screen_state``: the session of one browser tab, and the keys of its widgets.
- ``session_targets``: the targets of this tab, and the selected one.
- ``sandbox_connection``: the client of this console's sandbox.

From a screen to a send:

- ``send_flow``: choices, confirmation, the send, its progress and its controls.
- ``send_guard``: one decision to send leads to one batch.

Pieces that screens show:

- ``screens``: what each screen is called and for; the title of the browser's tab.
- ``header``: product, target, heading and purpose, above every screen; its look is ``page.css``.
- ``empty_state``: what a screen shows while it has nothing to show.
- ``outcome_card``, ``feed_card``: what was sent, its response, and the person's feeds.
- ``result_view``: what became of a send in three steps, as ``result_evidence`` reads it; ``waiting_view``: until then.
- ``throughput_chart``: outcomes over time, and the slowest responses.
- ``problem_list``: how many problems there are, as badges.
- ``product_names``, ``links``, ``snippets``, ``downloads``, ``formatting``, ``time_zones``, ``widgets``.
"""
