"""Backups: the whole database as of one moment in one file, encrypted, and back again.

A file is a line of JSON (what it is, and what its books came to) and the database itself, compressed: SQLite's own
copy of a file, or PostgreSQL's own script. All of it goes through age to the firm's recipients unless a person asked
for it plain. `form` knows the file, `engines` the two databases, `making` and `restoring` the two ways.
"""
