"""The screens: one thin file each, their parts below ``parts`` (docs/architecture.md).

A package, and no mere folder: another package called ``pages`` that happens to be installed would win over a folder.
"""
