"""jobs, schedules, and webhooks out with the outbox that a trigger fills

The trigger notes every audit record in the same commit while an endpoint is enabled: nobody who writes has to know of
webhooks, no statement is added to theirs, and no order of commits can hide a record from the worker.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from firm.columns import UtcMoment

revision = "0003w"
down_revision = "0002"
branch_labels = None
depends_on = None

# Entries of the journal come in bulk and are nobody's event.
NOT_TOLD = "NEW.verb NOT IN ('entry.posted', 'entries.posted')"
LISTENED = "EXISTS (SELECT 1 FROM webhook_endpoint WHERE state = 'enabled')"
NOTE = "INSERT INTO webhook_outbox (audit_id) VALUES (NEW.id)"


def upgrade() -> None:
    _create_jobs()
    _create_endpoints()
    _create_deliveries()
    for statement in _postgresql() if _is_postgresql() else _sqlite():
        op.execute(statement)


def downgrade() -> None:
    if _is_postgresql():
        op.execute("DROP TRIGGER webhook_outbox_noted ON audit_record")
        op.execute("DROP FUNCTION webhook_outbox_note()")
    else:
        op.execute("DROP TRIGGER webhook_outbox_noted")
    for table in (
        "webhook_attempt",
        "webhook_outbox",
        "webhook_delivery",
        "webhook_event",
        "webhook_endpoint",
        "schedule",
        "job",
    ):
        op.drop_table(table)


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _create_jobs() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("run_at", UtcMoment(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("leased_by", sa.String(100)),
        sa.Column("leased_until", UtcMoment()),
        sa.Column("last_error", sa.String(500)),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer()),
        sa.Column("result", sa.Text()),
        sa.Column("created_at", UtcMoment(), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("token_id", sa.String(34)),
        sa.Column("subject_id", sa.String(34)),
        sa.Column("request_id", sa.String(100)),
        sa.Column("on_behalf_of", sa.String(200)),
        sa.Column("finished_at", UtcMoment()),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
        sa.UniqueConstraint("key", name="uq_job_key"),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'refused', 'parked')", name=op.f("ck_job_state_known")
        ),
        sa.CheckConstraint(
            "(state = 'running') = (leased_by IS NOT NULL) AND (state = 'running') = (leased_until IS NOT NULL)",
            name=op.f("ck_job_running_is_leased"),
        ),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_job_attempts_not_negative")),
        sa.CheckConstraint("done >= 0 AND (total IS NULL OR total >= done)", name=op.f("ck_job_progress_in_range")),
    )
    op.create_index("ix_job_state_run_at", "job", ["state", "run_at"])
    op.create_index("ix_job_kind_id", "job", ["kind", "id"])
    op.create_table(
        "schedule",
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("every_seconds", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcMoment(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_schedule"),
        sa.CheckConstraint("every_seconds > 0", name=op.f("ck_schedule_every_positive")),
    )


def _create_endpoints() -> None:
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("url", sa.String(1000), nullable=False),
        sa.Column("description", sa.String(200), nullable=False),
        sa.Column("types", sa.Text(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(200)),
        sa.Column("secret_sealed", sa.Text()),
        sa.Column("previous_sealed", sa.Text()),
        sa.Column("previous_until", UtcMoment()),
        sa.Column("created_at", UtcMoment(), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_endpoint"),
        sa.CheckConstraint(
            "state IN ('enabled', 'disabled', 'removed')", name=op.f("ck_webhook_endpoint_state_known")
        ),
        sa.CheckConstraint(
            "(state = 'removed') = (secret_sealed IS NULL)", name=op.f("ck_webhook_endpoint_removed_has_no_secret")
        ),
        sa.CheckConstraint(
            "(previous_sealed IS NULL) = (previous_until IS NULL)", name=op.f("ck_webhook_endpoint_previous_ends")
        ),
    )
    op.create_index("ix_webhook_endpoint_state", "webhook_endpoint", ["state"])


def _create_deliveries() -> None:
    op.create_table(
        "webhook_event",
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("audit_id", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(60), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("happened_at", UtcMoment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_event"),
        sa.UniqueConstraint("audit_id", name="uq_webhook_event_audit_id"),
        sa.ForeignKeyConstraint(["audit_id"], ["audit_record.id"], name="fk_webhook_event_audit_id"),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("event_id", sa.String(34), nullable=False),
        sa.Column("endpoint_id", sa.String(34), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcMoment(), nullable=False),
        sa.Column("finished_at", UtcMoment()),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_delivery"),
        sa.UniqueConstraint("event_id", "endpoint_id", name="uq_webhook_delivery_event_id_endpoint_id"),
        sa.CheckConstraint(
            "state IN ('waiting', 'delivered', 'failed', 'canceled')", name=op.f("ck_webhook_delivery_state_known")
        ),
        sa.ForeignKeyConstraint(["event_id"], ["webhook_event.id"], name="fk_webhook_delivery_event_id"),
        sa.ForeignKeyConstraint(["endpoint_id"], ["webhook_endpoint.id"], name="fk_webhook_delivery_endpoint_id"),
    )
    op.create_index("ix_webhook_delivery_endpoint_id", "webhook_delivery", ["endpoint_id", "id"])
    op.create_table(
        "webhook_outbox",
        sa.Column(
            "audit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, autoincrement=False
        ),
        sa.PrimaryKeyConstraint("audit_id", name="pk_webhook_outbox"),
        sa.ForeignKeyConstraint(["audit_id"], ["audit_record.id"], name="fk_webhook_outbox_audit_id"),
    )
    op.create_table(
        "webhook_attempt",
        sa.Column("delivery_id", sa.String(34), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", UtcMoment(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("answer", sa.String(1024), nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", "number", name="pk_webhook_attempt"),
        sa.ForeignKeyConstraint(["delivery_id"], ["webhook_delivery.id"], name="fk_webhook_attempt_delivery_id"),
    )


def _sqlite() -> list[str]:
    return [
        "CREATE TRIGGER webhook_outbox_noted AFTER INSERT ON audit_record FOR EACH ROW"
        f" WHEN {NOT_TOLD} AND {LISTENED} BEGIN {NOTE}; END"
    ]


def _postgresql() -> list[str]:
    return [
        "CREATE FUNCTION webhook_outbox_note() RETURNS trigger LANGUAGE plpgsql AS $$"
        f" BEGIN IF {LISTENED} THEN {NOTE}; END IF; RETURN NULL; END;$$",
        "CREATE TRIGGER webhook_outbox_noted AFTER INSERT ON audit_record FOR EACH ROW"
        f" WHEN ({NOT_TOLD}) EXECUTE FUNCTION webhook_outbox_note()",
    ]
