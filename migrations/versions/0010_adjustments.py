"""adjustments: corrections, advances, withholding and fees beside earnings and payouts, and statements that show them

Firms that exist get the accounts they need; what these hold has a maintainer, as payables have.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from firm.columns import MonthText, UtcMoment
from migrations.changing import replace_check

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

MOST = 1000000000000000
ACCOUNTS = {"assets:advances": "asset", "liabilities:withheld-tax": "liability"}

HAS_MAINTAINER = "account <> 'liabilities:payables' OR maintainer_id <> ''"
ALL_HAVE_MAINTAINER = (
    "account NOT IN ('liabilities:payables', 'assets:advances', 'liabilities:withheld-tax') OR maintainer_id <> ''"
)
ADDS_UP = "opening_minor + earned_minor - paid_minor = closing_minor"
ADDS_UP_ADJUSTED = "opening_minor + earned_minor + adjusted_minor - paid_minor = closing_minor"
SIGNED = (
    "reverses_id IS NOT NULL OR kind = 'correction' OR (kind = 'advance' AND amount_minor > 0)"
    " OR (kind IN ('advance-recovery', 'withholding', 'fee') AND amount_minor < 0)"
)

KEPT = "rows of adjustment are never changed or deleted"
INEXACT = "a reversal takes back exactly one adjustment, whole"
NOT_ITS_NEGATION = (
    "NEW.reverses_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM adjustment o WHERE o.id = NEW.reverses_id"
    " AND o.reverses_id IS NULL AND o.kind = NEW.kind AND o.maintainer_id = NEW.maintainer_id"
    " AND o.currency = NEW.currency AND o.package_id = NEW.package_id AND o.amount_minor = -NEW.amount_minor)"
)


def upgrade() -> None:
    for code, kind in ACCOUNTS.items():
        _open_account(code, kind)
    replace_check("posting", "ck_posting_payables_has_maintainer", HAS_MAINTAINER, ALL_HAVE_MAINTAINER)
    for table, columns in COLUMNS.items():
        for name, definition in columns.items():
            op.execute(f"ALTER TABLE {table} ADD COLUMN {name} {definition}")
    replace_check("statement", "ck_statement_adds_up", ADDS_UP, ADDS_UP_ADJUSTED)
    _create_table()
    for statement in _postgresql() if _is_postgresql() else _sqlite():
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("adjustment")
    if _is_postgresql():
        op.execute("DROP FUNCTION guard_adjustment_reversal() CASCADE")
    replace_check("statement", "ck_statement_adds_up", ADDS_UP_ADJUSTED, ADDS_UP)
    for table, columns in COLUMNS.items():
        # The last one first: a CHECK goes with its column, and may speak of one that was added before it.
        for name in reversed(columns):
            op.execute(f"ALTER TABLE {table} DROP COLUMN {name}")
    replace_check("posting", "ck_posting_payables_has_maintainer", ALL_HAVE_MAINTAINER, HAS_MAINTAINER)


def _whole(table: str, column: str, least: int = -MOST) -> str:
    condition = f"{column} = CAST({column} AS BIGINT) AND {column} BETWEEN {least} AND {MOST}"
    return f"CONSTRAINT ck_{table}_{column}_whole CHECK ({condition})"


COLUMNS = {
    "profile": {
        "adjustment_limit_minor": f"BIGINT DEFAULT 0 NOT NULL {_whole('profile', 'adjustment_limit_minor', 0)}",
    },
    "pay_terms": {
        "recovery_bp": "INTEGER DEFAULT 0 NOT NULL"
        " CONSTRAINT ck_pay_terms_recovery_bp_range CHECK (recovery_bp BETWEEN 0 AND 10000)",
        "recovery_minor": f"BIGINT {_whole('pay_terms', 'recovery_minor', 1)}"
        " CONSTRAINT ck_pay_terms_recovery_one_way CHECK (recovery_bp = 0 OR recovery_minor IS NULL)",
        "fees_borne_by": "VARCHAR(5) DEFAULT 'firm' NOT NULL"
        " CONSTRAINT ck_pay_terms_fees_borne_by_known CHECK (fees_borne_by IN ('firm', 'payee'))",
    },
    "statement": {
        "adjusted_minor": f"BIGINT DEFAULT 0 NOT NULL {_whole('statement', 'adjusted_minor')}",
        "reason": "VARCHAR(500) CONSTRAINT ck_statement_correction_says_why"
        " CHECK ((version = 1) = (reason IS NULL))",
    },
}


def _open_account(code: str, kind: str) -> None:
    op.execute(
        f"INSERT INTO account (code, currency, kind) SELECT '{code}', p.currency, '{kind}' FROM account p"
        " WHERE p.code = 'liabilities:payables' AND NOT EXISTS"
        f" (SELECT 1 FROM account a WHERE a.code = '{code}' AND a.currency = p.currency)"
    )


def _create_table() -> None:
    op.create_table(
        "adjustment",
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("number", sa.String(40), nullable=False),
        sa.Column("maintainer_id", sa.String(34), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("month", MonthText(), nullable=False),
        sa.Column("adjusts_month", MonthText()),
        sa.Column("package_id", sa.String(34), nullable=False, server_default=""),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("funded_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("payout_id", sa.String(34)),
        sa.Column("reverses_id", sa.String(34)),
        sa.Column("entry_source", sa.String(120), nullable=False),
        sa.Column("made_at", UtcMoment(), nullable=False),
        sa.Column("made_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_adjustment"),
        sa.UniqueConstraint("number", name="uq_adjustment_number"),
        sa.UniqueConstraint("entry_source", name="uq_adjustment_entry_source"),
        *(
            sa.ForeignKeyConstraint([column], [target], name=f"fk_adjustment_{column}")
            for column, target in (
                ("maintainer_id", "maintainer.id"),
                ("payout_id", "payout.id"),
                ("reverses_id", "adjustment.id"),
                ("entry_source", "journal_entry.source"),
            )
        ),
        *(
            sa.CheckConstraint(condition, name=op.f(f"ck_adjustment_{name}"))
            for name, condition in {
                "kind_known": "kind IN ('correction', 'advance', 'advance-recovery', 'withholding', 'fee')",
                "amount_minor_whole": f"amount_minor = CAST(amount_minor AS BIGINT)"
                f" AND amount_minor BETWEEN -{MOST} AND {MOST}",
                "funded_minor_whole": f"funded_minor = CAST(funded_minor AS BIGINT)"
                f" AND funded_minor BETWEEN -{MOST} AND {MOST}",
                "amount_minor_not_zero": "amount_minor <> 0",
                "signed_by_kind": SIGNED,
                "correction_names_its_month": "kind <> 'correction' OR adjusts_month IS NOT NULL",
                "adjusts_an_earlier_month": "adjusts_month IS NULL OR adjusts_month < month",
                "funded_within_amount": "funded_minor BETWEEN 0 AND amount_minor"
                " OR funded_minor BETWEEN amount_minor AND 0",
                "funded_by_a_package": "funded_minor = 0 OR package_id <> ''",
                "only_corrections_are_charged": "package_id = '' OR kind = 'correction'",
                "reason_given": "reason <> ''",
            }.items()
        ),
    )
    op.create_index("ix_adjustment_month", "adjustment", ["month", "maintainer_id"])
    op.create_index("ix_adjustment_maintainer", "adjustment", ["maintainer_id", "id"])
    for name, column, condition in (
        ("uq_adjustment_reverses_id", "reverses_id", "reverses_id IS NOT NULL"),
        ("uq_adjustment_payout_fee", "payout_id", "payout_id IS NOT NULL AND reverses_id IS NULL"),
    ):
        where = sa.text(condition)
        op.create_index(name, "adjustment", [column], unique=True, sqlite_where=where, postgresql_where=where)


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _sqlite() -> list[str]:
    taken = (
        "EXISTS (SELECT 1 FROM adjustment WHERE id = NEW.id OR number = NEW.number OR rowid = NEW.rowid"
        " OR entry_source = NEW.entry_source OR reverses_id = NEW.reverses_id"
        " OR (payout_id = NEW.payout_id AND reverses_id IS NULL AND NEW.reverses_id IS NULL))"
    )
    return [
        _refuse("no_update", "BEFORE UPDATE", "1", KEPT),
        _refuse("no_delete", "BEFORE DELETE", "1", KEPT),
        _refuse("no_replace", "BEFORE INSERT", taken, "already posted: the row of adjustment exists"),
        _refuse("reversal", "BEFORE INSERT", NOT_ITS_NEGATION, INEXACT),
    ]


def _refuse(name: str, when: str, condition: str, message: str) -> str:
    return (
        f"CREATE TRIGGER guard_adjustment_{name} {when} ON adjustment FOR EACH ROW WHEN {condition}"
        f" BEGIN SELECT RAISE(ABORT, '{message}'); END"
    )


def _postgresql() -> list[str]:
    return [
        "CREATE TRIGGER guard_adjustment_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON adjustment"
        " FOR EACH STATEMENT EXECUTE FUNCTION guard_refuse()",
        "CREATE FUNCTION guard_adjustment_reversal() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN"
        f" IF {NOT_ITS_NEGATION} THEN RAISE EXCEPTION '{INEXACT}' USING ERRCODE = 'CH003'; END IF;"
        " RETURN NEW; END;$$",
        "CREATE TRIGGER guard_adjustment_reversal BEFORE INSERT ON adjustment"
        " FOR EACH ROW WHEN (NEW.reverses_id IS NOT NULL) EXECUTE FUNCTION guard_adjustment_reversal()",
    ]
