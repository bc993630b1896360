"""The Feeds screen: why a product is or is not in a feed of a person, what the feeds show, and the events behind it.

- ``state``: what is asked, and the link that asks it.
- ``reading``: what is known of a person at one moment.
- ``question_view``: the question in one line, and the screen without one.
- ``answer_view``: the answer in one sentence.
- ``tiles_view``: the feeds as tiles, and the global feeds.
- ``timeline_view``: the events as a picture and a table, and the one that was chosen.
- ``person_view``: all of these of one reading, again and again while the feeds are watched.
"""
