"""What SQLite and PostgreSQL do differently.

- ``bulk`` chooses by a connection's database: ``sqlite_bulk`` or ``postgresql_bulk``, statements that read or write
  many rows at once, each by the best means of its database
- ``locks``: what keeps others from writing the same where more than one may write at once; ``conflicts``: transactions
  that are repeated
- ``postgresql_server``: connections to a server, what its errors mean, and what is not taken for a server;
  ``server_clock``: the time that all machines share
- ``sqlite_file``: connections to a file, and what its errors mean
- ``errors``: what is trouble of the machine, and what a mistake of this program; ``lock_timeout``: how long to wait
"""
