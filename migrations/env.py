"""Alembic's entry: migrates the connection that `migrations.run` hands over."""

from __future__ import annotations

from alembic import context

from migrations.tables import METADATA

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    compare_type=True,
    render_as_batch=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
