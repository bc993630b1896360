"""Commands that are one module each: ``suggest``, ``sandbox``, ``settings``.

``check`` and ``send``, which are more, lie beside this folder.
"""
