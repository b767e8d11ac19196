"""Alembic migrations; run by `syncd.store.schema`, never by hand.

To change a table: change ``syncd/store/tables.py`` and add ``versions/rNNNN_what_it_does.py`` with the next number,
the same change in Alembic's words, for both databases. A test compares the two. Steps that were released are
never edited. A step that touches ``claims`` must leave the overlap rule in place (`overlap`): SQLite drops
triggers with their table.
"""
