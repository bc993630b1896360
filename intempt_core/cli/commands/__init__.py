"""Commands that are one module each: ``suggest``, ``sandbox``, ``schema``, ``settings``.

``check`` and ``send``, which are more, lie beside this folder.
"""
