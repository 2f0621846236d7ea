"""provider events, sweeps, payee payouts, movements and differences

What was received stays: events, sweeps and movements are never deleted and change only towards their end. After a
restoration the database takes no attempt over a provider before a later sweep has ended, whatever program asks.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from firm.columns import UtcMoment
from firm.money import LIMIT_MINOR

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = ("provider_event", "provider_sweep", "payee_payout", "provider_movement", "reconciliation_difference")
FIXED = {
    "provider_event": [
        "id", "provider", "event_id", "endpoint", "type", "account", "object_id", "object_kind", "api_version",
        "livemode", "body_sha256", "happened_at", "received_at",
    ],
    "provider_sweep": ["id", "provider", "since", "until", "started_at"],
    "payee_payout": ["id", "provider", "account", "reference", "maintainer_id", "amount_minor", "currency", "made_at"],
    "provider_movement": [
        "id", "provider", "reference", "type", "amount_minor", "fee_minor", "net_minor", "currency", "source",
        "made_at", "seen_at", "treatment",
    ],
    "reconciliation_difference": ["id", "rail", "kind", "subject", "opened_at"],
}  # fmt: skip
KEYS = {
    "provider_event": ("provider", "event_id"),
    "payee_payout": ("provider", "account", "reference"),
    "provider_movement": ("provider", "reference"),
}
ENDED = {
    "provider_event": "OLD.state IN ('applied', 'ignored')",
    "provider_sweep": "OLD.finished_at IS NOT NULL",
    "payee_payout": "OLD.state IN ('failed', 'canceled') AND NEW.state <> OLD.state"
    " OR OLD.state = 'paid' AND NEW.state IN ('pending', 'in-transit')"
    " OR OLD.state = 'in-transit' AND NEW.state = 'pending'"
    " OR NEW.seen_at < OLD.seen_at",
    "reconciliation_difference": "OLD.resolved_at IS NOT NULL",
}
"""When a row has come to its end, or would go back on its way."""

UNSWEPT = (
    "EXISTS (SELECT 1 FROM restoration r JOIN payout p ON p.id = NEW.payout_id AND p.rail = 'stripe' WHERE NOT EXISTS"
    " (SELECT 1 FROM provider_sweep s WHERE s.provider = p.rail AND s.finished_at IS NOT NULL"
    " AND s.started_at >= r.restored_at))"
)
NOT_SWEPT = "the books were restored and the provider was not swept since; nothing is sent over it"


def upgrade() -> None:
    _create_events()
    _create_sweeps()
    _create_payee_payouts()
    _create_movements()
    _create_differences()
    for statement in _postgresql() if _is_postgresql() else _sqlite():
        op.execute(statement)


def downgrade() -> None:
    if _is_postgresql():
        op.execute("DROP FUNCTION guard_unswept() CASCADE")
        for table in TABLES:
            op.execute(f"DROP FUNCTION guard_{table}() CASCADE")
    else:
        op.execute("DROP TRIGGER guard_payout_attempt_begun_before_sweep")
        op.execute("DROP TRIGGER guard_payout_attempt_taken_over_before_sweep")
    for table in TABLES:
        op.drop_table(table)


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _create_events() -> None:
    op.create_table(
        "provider_event",
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("provider", sa.String(20), nullable=False),
        sa.Column("event_id", sa.String(255), nullable=False),
        sa.Column("endpoint", sa.String(10), nullable=False),
        sa.Column("type", sa.String(120), nullable=False),
        sa.Column("account", sa.String(255)),
        sa.Column("object_id", sa.String(255)),
        sa.Column("object_kind", sa.String(255)),
        sa.Column("api_version", sa.String(255)),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("body_sha256", sa.String(64)),
        sa.Column("happened_at", UtcMoment(), nullable=False),
        sa.Column("received_at", UtcMoment(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(500)),
        sa.Column("alarm", sa.Boolean(), nullable=False),
        sa.Column("finished_at", UtcMoment()),
        sa.PrimaryKeyConstraint("id", name="pk_provider_event"),
        sa.UniqueConstraint("provider", "event_id", name="uq_provider_event_provider_event_id"),
        _one_of("provider_event", "state", ("stored", "parked", "applied", "ignored")),
        _one_of("provider_event", "endpoint", ("platform", "connect", "sweep")),
        _check(
            "provider_event", "finished_when_ended", "(state IN ('applied', 'ignored')) = (finished_at IS NOT NULL)"
        ),
        _check("provider_event", "reason_given", "state NOT IN ('ignored', 'parked') OR reason IS NOT NULL"),
        _check("provider_event", "alarm_has_reason", "alarm IS FALSE OR state IN ('ignored', 'parked')"),
    )
    op.create_index("ix_provider_event_state_id", "provider_event", ["state", "id"])


def _create_sweeps() -> None:
    op.create_table(
        "provider_sweep",
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("provider", sa.String(20), nullable=False),
        sa.Column("since", UtcMoment(), nullable=False),
        sa.Column("until", UtcMoment(), nullable=False),
        sa.Column("started_at", UtcMoment(), nullable=False),
        sa.Column("finished_at", UtcMoment()),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("mended", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_provider_sweep"),
        _check("provider_sweep", "forward", "since < until"),
        _check("provider_sweep", "ends_after_start", "finished_at IS NULL OR finished_at >= started_at"),
    )
    op.create_index("ix_provider_sweep_provider_until", "provider_sweep", ["provider", "until"])


def _create_payee_payouts() -> None:
    op.create_table(
        "payee_payout",
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("provider", sa.String(20), nullable=False),
        sa.Column("account", sa.String(255), nullable=False),
        sa.Column("reference", sa.String(255), nullable=False),
        sa.Column("maintainer_id", sa.String(34), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("failure", sa.String(100)),
        sa.Column("made_at", UtcMoment(), nullable=False),
        sa.Column("arrives_on", sa.Date()),
        sa.Column("seen_at", UtcMoment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_payee_payout"),
        sa.UniqueConstraint("provider", "account", "reference", name="uq_payee_payout_provider_account_reference"),
        sa.ForeignKeyConstraint(["maintainer_id"], ["maintainer.id"], name="fk_payee_payout_maintainer_id"),
        _one_of("payee_payout", "state", ("pending", "in-transit", "paid", "failed", "canceled")),
        _whole("payee_payout", "amount_minor"),
    )
    op.create_index("ix_payee_payout_maintainer_id", "payee_payout", ["maintainer_id"])


def _create_movements() -> None:
    op.create_table(
        "provider_movement",
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("provider", sa.String(20), nullable=False),
        sa.Column("reference", sa.String(255), nullable=False),
        sa.Column("type", sa.String(120), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("source", sa.String(255)),
        sa.Column("made_at", UtcMoment(), nullable=False),
        sa.Column("seen_at", UtcMoment(), nullable=False),
        sa.Column("treatment", sa.String(10), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_provider_movement"),
        sa.UniqueConstraint("provider", "reference", name="uq_provider_movement_provider_reference"),
        _one_of("provider_movement", "treatment", ("booked", "paid-out", "unknown")),
        *(_whole("provider_movement", column) for column in ("amount_minor", "fee_minor", "net_minor")),
        _check("provider_movement", "net_of_fee", "net_minor = amount_minor - fee_minor"),
    )


def _create_differences() -> None:
    kinds = (
        "transfer-without-payout", "payout-without-transfer", "paid-twice", "amount-differs", "destination-differs",
        "reversal-differs", "balance-differs", "movement-unknown", "outcome-unknown", "not-settled", "event-waits",
        "event-foreign", "not-paid-to-bank",
    )  # fmt: skip
    op.create_table(
        "reconciliation_difference",
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("rail", sa.String(20), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("what", sa.String(500), nullable=False),
        sa.Column("our_side", sa.String(200), nullable=False),
        sa.Column("their_side", sa.String(200), nullable=False),
        sa.Column("opened_at", UtcMoment(), nullable=False),
        sa.Column("seen_at", UtcMoment(), nullable=False),
        sa.Column("owner", sa.String(200)),
        sa.Column("resolved_at", UtcMoment()),
        sa.Column("resolved_by", sa.String(200)),
        sa.Column("note", sa.String(500)),
        sa.PrimaryKeyConstraint("id", name="pk_reconciliation_difference"),
        _one_of("reconciliation_difference", "kind", kinds),
        _check(
            "reconciliation_difference",
            "resolved_whole",
            "(resolved_at IS NULL) = (resolved_by IS NULL) AND (resolved_at IS NULL) = (note IS NULL)",
        ),
        _check("reconciliation_difference", "seen_after_opened", "seen_at >= opened_at"),
    )
    is_open = sa.text("resolved_at IS NULL")
    op.create_index(
        "uq_reconciliation_difference_open",
        "reconciliation_difference",
        ["rail", "kind", "subject"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _one_of(table: str, column: str, words: tuple[str, ...]) -> sa.CheckConstraint:
    return _check(table, f"{column}_known", f"{column} IN ({', '.join(repr(word) for word in words)})")


def _whole(table: str, column: str) -> sa.CheckConstraint:
    condition = f"{column} = CAST({column} AS BIGINT) AND {column} BETWEEN {-LIMIT_MINOR} AND {LIMIT_MINOR}"
    return _check(table, f"{column}_whole", condition)


def _kept(table: str) -> str:
    return f"rows of {table} stay, and change only towards their end"


def _sqlite() -> list[str]:
    statements = [
        _refuse("payout_attempt_begun_before_sweep", "BEFORE INSERT ON payout_attempt", UNSWEPT, NOT_SWEPT),
        _refuse(
            "payout_attempt_taken_over_before_sweep",
            "BEFORE UPDATE ON payout_attempt",
            f"NEW.leased_until > OLD.leased_until AND {UNSWEPT}",
            NOT_SWEPT,
        ),
    ]
    for table in TABLES:
        changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in FIXED[table])
        ended = f" OR {ENDED[table]}" if table in ENDED else ""
        statements += [
            _refuse(f"{table}_fixed", f"BEFORE UPDATE ON {table}", changed + ended, _kept(table)),
            _refuse(f"{table}_no_delete", f"BEFORE DELETE ON {table}", "1", _kept(table)),
            _refuse(f"{table}_no_replace", f"BEFORE INSERT ON {table}", _is_there(table), _kept(table)),
        ]
    return statements


def _is_there(table: str) -> str:
    """Whether a row of the same key exists: SQLite's INSERT OR REPLACE would delete it without a word."""
    conditions = ["id = NEW.id", "rowid = NEW.rowid"]
    if table in KEYS:
        conditions.append("(" + " AND ".join(f"{column} = NEW.{column}" for column in KEYS[table]) + ")")
    if table == "reconciliation_difference":
        same = " AND ".join(f"{column} = NEW.{column}" for column in ("rail", "kind", "subject"))
        conditions.append(f"({same} AND resolved_at IS NULL AND NEW.resolved_at IS NULL)")
    return f"EXISTS (SELECT 1 FROM {table} WHERE {' OR '.join(conditions)})"


def _refuse(name: str, when: str, condition: str, message: str) -> str:
    return (
        f"CREATE TRIGGER guard_{name} {when} FOR EACH ROW WHEN {condition}"
        f" BEGIN SELECT RAISE(ABORT, '{message}'); END"
    )


def _postgresql() -> list[str]:
    statements = [
        _function("guard_unswept", f"IF {UNSWEPT} THEN {_raise(NOT_SWEPT)} END IF; RETURN NEW;"),
        "CREATE TRIGGER guard_payout_attempt_begun_swept BEFORE INSERT ON payout_attempt"
        " FOR EACH ROW EXECUTE FUNCTION guard_unswept()",
        "CREATE TRIGGER guard_payout_attempt_taken_over_swept BEFORE UPDATE ON payout_attempt"
        " FOR EACH ROW WHEN (NEW.leased_until > OLD.leased_until) EXECUTE FUNCTION guard_unswept()",
    ]
    for table in TABLES:
        changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in FIXED[table])
        ended = f" OR {ENDED[table]}" if table in ENDED else ""
        statements += [
            _function(f"guard_{table}", _raise(_kept(table))),
            f"CREATE TRIGGER guard_{table}_fixed BEFORE UPDATE ON {table} FOR EACH ROW"
            f" WHEN ({changed}{ended}) EXECUTE FUNCTION guard_{table}()",
            f"CREATE TRIGGER guard_{table}_kept BEFORE DELETE OR TRUNCATE ON {table}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION guard_{table}()",
        ]
    return statements


def _function(name: str, body: str) -> str:
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body} END;$$"


def _raise(message: str) -> str:
    return f"RAISE EXCEPTION '{message}' USING ERRCODE = 'CH002';"
