"""bank files: what the bank sends back, line by line, and the proofs of payments made by hand

A file and a proof are never changed; a line only in what it was taken as, and only forwards.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from firm.columns import UtcMoment
from migrations.changing import changed_but_for_its_seal

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

LIMIT = 10**15
FIXED = [
    "id", "file_id", "number", "payout_id", "action", "direction", "amount_minor", "currency", "booked_on", "code",
    "reason", "reference", "text",
]
EDGES = {
    "waiting": ["settled", "returned", "rejected", "noted", "unmatched"],
    "unmatched": ["resolved"],
}
KEYS = {
    "bank_file": [["id"], ["sha256"]],
    "bank_line": [["id"], ["file_id", "number"]],
    "payment_proof": [["id"], ["payout_id", "version"]],
}
STAY_BUT_FOR_THEIR_SEAL = {
    "bank_file": [
        "id", "sha256", "kind", "version", "message_id", "original_message_id", "statement_number", "account_last4",
        "currency", "opening_minor", "closing_minor", "received_at", "received_by",
    ],
    "payment_proof": ["id", "payout_id", "version", "content_type", "size", "sha256", "added_at", "added_by"],
}
SETTLED = "state = 'settled'"
RETURNED = "state IN ('returned', 'rejected')"
STAYS = "a line of a bank file changes only in what it was taken as, and only forwards"


def upgrade() -> None:
    _bank_file()
    _bank_line()
    _payment_proof()
    for statement in _postgresql() if _is_postgresql() else _sqlite():
        op.execute(statement)


def downgrade() -> None:
    for table in ("payment_proof", "bank_line", "bank_file"):
        op.drop_table(table)
    if _is_postgresql():
        op.execute("DROP FUNCTION guard_bank_line() CASCADE")


def _bank_file() -> None:
    op.create_table(
        "bank_file",
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("version", sa.String(10), nullable=False),
        sa.Column("message_id", sa.String(35), nullable=False),
        sa.Column("original_message_id", sa.String(35)),
        sa.Column("statement_number", sa.String(35)),
        sa.Column("account_last4", sa.String(4)),
        sa.Column("currency", sa.String(3)),
        sa.Column("opening_minor", sa.BigInteger()),
        sa.Column("closing_minor", sa.BigInteger()),
        sa.Column("content_sealed", sa.Text(), nullable=False),
        sa.Column("received_at", UtcMoment(), nullable=False),
        sa.Column("received_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_file")),
        sa.UniqueConstraint("sha256", name=op.f("uq_bank_file_sha256")),
        sa.CheckConstraint("kind IN ('pain.002', 'camt.053')", name=op.f("ck_bank_file_kind_known")),
        _whole("bank_file", "opening_minor", -LIMIT),
        _whole("bank_file", "closing_minor", -LIMIT),
        sa.CheckConstraint(
            "(kind = 'camt.053') = (opening_minor IS NOT NULL)"
            " AND (opening_minor IS NULL) = (closing_minor IS NULL)"
            " AND (opening_minor IS NULL) = (currency IS NULL)"
            " AND (opening_minor IS NULL) = (account_last4 IS NULL)",
            name=op.f("ck_bank_file_statement_whole"),
        ),
    )


def _bank_line() -> None:
    op.create_table(
        "bank_line",
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("file_id", sa.String(34), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("payout_id", sa.String(34)),
        sa.Column("action", sa.String(10)),
        sa.Column("direction", sa.String(10)),
        sa.Column("amount_minor", sa.BigInteger()),
        sa.Column("currency", sa.String(3)),
        sa.Column("booked_on", sa.Date()),
        sa.Column("code", sa.String(35), nullable=False),
        sa.Column("reason", sa.String(300)),
        sa.Column("reference", sa.String(100), nullable=False),
        sa.Column("text", sa.String(140)),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("note", sa.String(500), nullable=False),
        sa.Column("resolution", sa.String(500)),
        sa.Column("resolved_at", UtcMoment()),
        sa.Column("resolved_by", sa.String(200)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_line")),
        sa.ForeignKeyConstraint(["file_id"], ["bank_file.id"], name=op.f("fk_bank_line_file_id")),
        sa.ForeignKeyConstraint(["payout_id"], ["payout.id"], name=op.f("fk_bank_line_payout_id")),
        sa.UniqueConstraint("file_id", "number", name=op.f("uq_bank_line_file_id_number")),
        sa.CheckConstraint("action IN ('settle', 'return', 'reject')", name=op.f("ck_bank_line_action_known")),
        sa.CheckConstraint("direction IN ('debit', 'credit')", name=op.f("ck_bank_line_direction_known")),
        sa.CheckConstraint(
            "state IN ('waiting', 'settled', 'returned', 'rejected', 'noted', 'ignored', 'unmatched', 'resolved')",
            name=op.f("ck_bank_line_state_known"),
        ),
        _whole("bank_line", "amount_minor", 0),
        sa.CheckConstraint("(amount_minor IS NULL) = (currency IS NULL)", name=op.f("ck_bank_line_amount_whole")),
        sa.CheckConstraint("action IS NULL OR payout_id IS NOT NULL", name=op.f("ck_bank_line_action_has_payout")),
        sa.CheckConstraint("state <> 'waiting' OR action IS NOT NULL", name=op.f("ck_bank_line_waiting_has_action")),
        sa.CheckConstraint(
            "state NOT IN ('settled', 'returned', 'rejected') OR action IS NOT NULL",
            name=op.f("ck_bank_line_movement_has_action"),
        ),
        sa.CheckConstraint(
            "(state = 'resolved') = (resolved_at IS NOT NULL) AND (resolved_at IS NULL) = (resolved_by IS NULL)"
            " AND (resolved_at IS NULL) = (resolution IS NULL)",
            name=op.f("ck_bank_line_resolved_whole"),
        ),
    )
    for name, condition in (("settled", SETTLED), ("returned", RETURNED)):
        where = {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
        op.create_index(f"uq_bank_line_{name}", "bank_line", ["payout_id"], unique=True, **where)
    op.create_index("ix_bank_line_payout_id", "bank_line", ["payout_id"])
    op.create_index("ix_bank_line_state", "bank_line", ["state"])


def _payment_proof() -> None:
    op.create_table(
        "payment_proof",
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("payout_id", sa.String(34), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_type", sa.String(20), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content_sealed", sa.Text(), nullable=False),
        sa.Column("added_at", UtcMoment(), nullable=False),
        sa.Column("added_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_proof")),
        sa.ForeignKeyConstraint(["payout_id"], ["payout.id"], name=op.f("fk_payment_proof_payout_id")),
        sa.UniqueConstraint("payout_id", "version", name=op.f("uq_payment_proof_payout_id_version")),
        sa.CheckConstraint(
            "content_type IN ('application/pdf', 'image/png', 'image/jpeg')",
            name=op.f("ck_payment_proof_content_type_known"),
        ),
        sa.CheckConstraint("size BETWEEN 1 AND 5000000", name=op.f("ck_payment_proof_size_bounded")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_payment_proof_version_counts")),
    )


def _whole(table: str, column: str, least: int) -> sa.CheckConstraint:
    return sa.CheckConstraint(
        f"{column} = CAST({column} AS BIGINT) AND {column} BETWEEN {least} AND {LIMIT}",
        name=op.f(f"ck_{table}_{column}_whole"),
    )


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _forbidden_edge() -> str:
    allowed = " OR ".join(
        f"(OLD.state = '{before}' AND NEW.state IN ({', '.join(repr(state) for state in after)}))"
        for before, after in EDGES.items()
    )
    return f"NOT ({allowed})"


def _sqlite() -> list[str]:
    statements = []
    for table, columns in STAY_BUT_FOR_THEIR_SEAL.items():
        message = f"rows of {table} are never changed or deleted"
        changed = changed_but_for_its_seal(columns, "content_sealed")
        statements += [
            _refuse(f"{table}_no_update", f"BEFORE UPDATE ON {table}", changed, message),
            _refuse(f"{table}_no_delete", f"BEFORE DELETE ON {table}", "1", message),
        ]
    changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in FIXED)
    statements += [
        _refuse("bank_line_forwards", "BEFORE UPDATE ON bank_line", f"{changed} OR {_forbidden_edge()}", STAYS),
        _refuse("bank_line_no_delete", "BEFORE DELETE ON bank_line", "1", STAYS),
    ]
    for table, keys in KEYS.items():
        same = [" AND ".join(f"{column} = NEW.{column}" for column in key) for key in keys]
        exists = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {one})" for one in [*same, "rowid = NEW.rowid"])
        message = f"already stored: the row of {table} exists"
        statements.append(_refuse(f"{table}_no_replace", f"BEFORE INSERT ON {table}", exists, message))
    # A payout that one line has settled or returned: REPLACE would drop that line for another one.
    same = "NEW.payout_id IS NOT NULL AND EXISTS (SELECT 1 FROM bank_line WHERE payout_id = NEW.payout_id AND"
    taken = f"({same} {SETTLED} AND NEW.{SETTLED})) OR ({same} {RETURNED} AND NEW.{RETURNED}))"
    statements.append(_refuse("bank_line_once", "BEFORE INSERT ON bank_line", taken, "one line settles, one returns"))
    return statements


def _refuse(name: str, when: str, condition: str, message: str) -> str:
    return (
        f"CREATE TRIGGER guard_{name} {when} FOR EACH ROW WHEN {condition}"
        f" BEGIN SELECT RAISE(ABORT, '{message}'); END"
    )


def _postgresql() -> list[str]:
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in FIXED)
    body = f"RAISE EXCEPTION '{STAYS}' USING ERRCODE = 'CH002';"
    statements = [
        f"CREATE FUNCTION guard_bank_line() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body} END;$$",
        "CREATE TRIGGER guard_bank_line_forwards BEFORE UPDATE ON bank_line FOR EACH ROW"
        f" WHEN ({changed} OR {_forbidden_edge()}) EXECUTE FUNCTION guard_bank_line()",
        "CREATE TRIGGER guard_bank_line_kept BEFORE DELETE OR TRUNCATE ON bank_line"
        " FOR EACH STATEMENT EXECUTE FUNCTION guard_bank_line()",
    ]
    for table, columns in STAY_BUT_FOR_THEIR_SEAL.items():
        statements += [
            f"CREATE TRIGGER guard_{table}_fixed BEFORE UPDATE ON {table} FOR EACH ROW"
            f" WHEN ({changed_but_for_its_seal(columns, 'content_sealed')}) EXECUTE FUNCTION guard_refuse()",
            f"CREATE TRIGGER guard_{table}_kept BEFORE DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION guard_refuse()",
        ]
    return statements
