"""Streamlit components of this console, each with its markup, style and script beside it.

- ``component``: loads a component from its files.
- ``file_input``: uploads a file to the disk of the console, past the script.
- ``annotated_text``: shows a text with line numbers and annotations.
- ``bar_chart``: a chart of bars, an SVG picture of our own.
- ``suggestions``: suggests values below a text field.
- ``copy_link``: a button that copies a link of this console.
- ``link_table``: a table whose rows open something, with heads that sort and boxes to tick.
- ``focus_field``: puts the cursor into a field.
- ``paste_guard``: keeps a paste that is too long out of a text area.
"""
