"""restorations: books that were read in send nothing until somebody has reconciled them

The database refuses the attempt of a payout too, so that no program of any version can forget to ask.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from firm.columns import UtcMoment

revision = "0004"
down_revision = "0003w"
branch_labels = None
depends_on = None

WAITING = "EXISTS (SELECT 1 FROM restoration WHERE reconciled_at IS NULL)"
UNRECONCILED = "the books were restored and are not reconciled; nothing is sent"
FIXED = ["id", "source", "taken_at", "restored_at", "chain_seq", "chain_hash"]
KEPT = "rows of restoration stay, and are reconciled once"


def upgrade() -> None:
    op.create_table(
        "restoration",
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("source", sa.String(10), nullable=False),
        sa.Column("taken_at", UtcMoment(), nullable=False),
        sa.Column("restored_at", UtcMoment(), nullable=False),
        sa.Column("chain_seq", sa.Integer(), nullable=False),
        sa.Column("chain_hash", sa.String(64), nullable=False),
        sa.Column("reconciled_at", UtcMoment()),
        sa.Column("reconciled_by", sa.String(200)),
        sa.Column("note", sa.String(500)),
        sa.PrimaryKeyConstraint("id", name="pk_restoration"),
        sa.CheckConstraint("source IN ('backup', 'archive')", name=op.f("ck_restoration_source_known")),
        sa.CheckConstraint(
            "(reconciled_at IS NULL) = (reconciled_by IS NULL) AND (reconciled_at IS NULL) = (note IS NULL)",
            name=op.f("ck_restoration_reconciled_whole"),
        ),
    )
    for statement in _postgresql() if _is_postgresql() else _sqlite():
        op.execute(statement)


def downgrade() -> None:
    if _is_postgresql():
        op.execute("DROP FUNCTION guard_unreconciled() CASCADE")
        op.execute("DROP FUNCTION guard_restoration() CASCADE")
    else:
        for name in ("payout_attempt_begun", "payout_attempt_taken_over"):
            op.execute(f"DROP TRIGGER guard_{name}_after_restoration")
    op.drop_table("restoration")


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _sqlite() -> list[str]:
    changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in FIXED)
    return [
        _refuse("payout_attempt_begun_after_restoration", "BEFORE INSERT ON payout_attempt", WAITING, UNRECONCILED),
        _refuse(
            "payout_attempt_taken_over_after_restoration",
            "BEFORE UPDATE ON payout_attempt",
            f"NEW.leased_until > OLD.leased_until AND {WAITING}",
            UNRECONCILED,
        ),
        _refuse("restoration_no_delete", "BEFORE DELETE ON restoration", "1", KEPT),
        _refuse(
            "restoration_fixed", "BEFORE UPDATE ON restoration", f"OLD.reconciled_at IS NOT NULL OR {changed}", KEPT
        ),
        _refuse(
            "restoration_no_replace",
            "BEFORE INSERT ON restoration",
            "EXISTS (SELECT 1 FROM restoration WHERE id = NEW.id OR rowid = NEW.rowid)",
            KEPT,
        ),
    ]


def _refuse(name: str, when: str, condition: str, message: str) -> str:
    return (
        f"CREATE TRIGGER guard_{name} {when} FOR EACH ROW WHEN {condition}"
        f" BEGIN SELECT RAISE(ABORT, '{message}'); END"
    )


def _postgresql() -> list[str]:
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in FIXED)
    return [
        _function("guard_unreconciled", f"IF {WAITING} THEN {_raise(UNRECONCILED)} END IF; RETURN NEW;"),
        _function("guard_restoration", _raise(KEPT)),
        "CREATE TRIGGER guard_payout_attempt_begun BEFORE INSERT ON payout_attempt"
        " FOR EACH ROW EXECUTE FUNCTION guard_unreconciled()",
        "CREATE TRIGGER guard_payout_attempt_taken_over BEFORE UPDATE ON payout_attempt"
        " FOR EACH ROW WHEN (NEW.leased_until > OLD.leased_until) EXECUTE FUNCTION guard_unreconciled()",
        "CREATE TRIGGER guard_restoration_fixed BEFORE UPDATE ON restoration FOR EACH ROW"
        f" WHEN (OLD.reconciled_at IS NOT NULL OR {changed}) EXECUTE FUNCTION guard_restoration()",
        "CREATE TRIGGER guard_restoration_kept BEFORE DELETE OR TRUNCATE ON restoration"
        " FOR EACH STATEMENT EXECUTE FUNCTION guard_restoration()",
    ]


def _function(name: str, body: str) -> str:
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body} END;$$"


def _raise(message: str) -> str:
    return f"RAISE EXCEPTION '{message}' USING ERRCODE = 'CH002';"
