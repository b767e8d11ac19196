"""Rivals in every test: servers that know nothing of syncd."""
