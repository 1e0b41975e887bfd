"""Entries in lanes. A lane is what keeps order: a conversation, or the way to the collector.

    ledger.py    the database file and its one writing thread: many operations, one commit
    schema.sql   the tables
    entries.py   the states of an entry, as functions over an open transaction
    feed.py      which entry next: from SQLite itself
    streams.py   which entry next: from Redis Streams, a copy that may be lost at any time

SQLite alone says what is to be done and what was done. Redis only says where to look; whatever it says twice, late or never, a
lease is granted or not by SQLite.
"""
