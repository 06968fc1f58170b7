"""Alembic's migrations of the tracker's tables."""
