"""What people save in the console's own store.

- ``journeys``, and ``targets`` without their keys, are in the database always; ``named_documents`` is how
- ``documents``: the stores of mappings, rules, checks and catalogues, as the settings say: files of a data folder, or,
  where several consoles share a database, ``mappings``, ``team_rules``, ``checks`` and ``catalogues`` of it
- ``uploads``: which files were uploaded to any of these consoles, and by which tab
"""
