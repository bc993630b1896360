"""Commands that are one module each: ``suggest``, ``generate``, ``coverage``, ``sandbox``, ``tail``, ``schema``,
``settings``, ``console``.

``launch`` starts the screens' server, for ``console`` and for ``run.py``.

``check`` and ``send``, which are more, lie beside this folder.
"""
