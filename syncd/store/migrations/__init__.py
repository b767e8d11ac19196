"""Alembic migrations; run by `syncd.store.schema`, never by hand."""
