"""provider accounts: payees' accounts at payment providers, and the accounts in the books that such payments need

An account's id is written once; what is over stays over. Firms that exist get the two new accounts of the chart in
every currency that their books are open in.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from firm.columns import UtcMoment

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NEW_ACCOUNTS = {"assets:stripe": "asset", "expenses:payment-fees": "expense"}
FIXED = ["id", "maintainer_id", "provider", "key", "request", "country", "created_at"]
KEPT = "rows of provider_account stay; an account id is written once, and what is over stays over"
OVER = "OLD.status IN ('closed', 'refused')"
ANOTHER_ID = "OLD.account_id IS NOT NULL AND (NEW.account_id IS NULL OR NEW.account_id <> OLD.account_id)"
OLDER = "OLD.checked_at IS NOT NULL AND (NEW.checked_at IS NULL OR NEW.checked_at < OLD.checked_at)"


def upgrade() -> None:
    op.create_table(
        "provider_account",
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("maintainer_id", sa.String(34), nullable=False),
        sa.Column("provider", sa.String(20), nullable=False),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("account_id", sa.String(255)),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("payouts_status", sa.String(20), nullable=False),
        sa.Column("requirements", sa.String(1000), nullable=False),
        sa.Column("created_at", UtcMoment(), nullable=False),
        sa.Column("checked_at", UtcMoment()),
        sa.PrimaryKeyConstraint("id", name="pk_provider_account"),
        sa.ForeignKeyConstraint(["maintainer_id"], ["maintainer.id"], name="fk_provider_account_maintainer_id"),
        sa.UniqueConstraint("key", name="uq_provider_account_key"),
        sa.UniqueConstraint("provider", "account_id", name="uq_provider_account_provider_account_id"),
        sa.CheckConstraint(
            "status IN ('opening', 'pending', 'active', 'restricted', 'rejected', 'unsupported', 'closed', 'refused')",
            name=op.f("ck_provider_account_status_known"),
        ),
        sa.CheckConstraint(
            "payouts_status IN ('pending', 'active', 'restricted', 'rejected', 'unsupported')",
            name=op.f("ck_provider_account_payouts_status_known"),
        ),
        sa.CheckConstraint(
            "(account_id IS NULL) = (status IN ('opening', 'refused'))",
            name=op.f("ck_provider_account_account_known"),
        ),
        sa.CheckConstraint(
            "(checked_at IS NULL) = (account_id IS NULL)", name=op.f("ck_provider_account_account_checked")
        ),
    )
    live = sa.text("status NOT IN ('closed', 'refused')")
    op.create_index(
        "uq_provider_account_live",
        "provider_account",
        ["maintainer_id", "provider"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )
    for statement in _postgresql() if _is_postgresql() else _sqlite():
        op.execute(statement)
    for code, kind in NEW_ACCOUNTS.items():
        op.execute(
            f"INSERT INTO account (code, currency, kind) SELECT DISTINCT '{code}', a.currency, '{kind}' FROM account a"
            f" WHERE NOT EXISTS (SELECT 1 FROM account b WHERE b.code = '{code}' AND b.currency = a.currency)"
        )


def downgrade() -> None:
    # The two accounts stay: rows of the chart are never deleted, and are harmless.
    op.drop_table("provider_account")
    if _is_postgresql():
        op.execute("DROP FUNCTION guard_provider_account() CASCADE")


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _sqlite() -> list[str]:
    changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in FIXED)
    return [
        _refuse("no_delete", "BEFORE DELETE", "1"),
        _refuse("fixed", "BEFORE UPDATE", f"{OVER} OR {changed} OR ({ANOTHER_ID}) OR ({OLDER})"),
        _refuse(
            "no_replace",
            "BEFORE INSERT",
            "EXISTS (SELECT 1 FROM provider_account WHERE id = NEW.id OR rowid = NEW.rowid OR key = NEW.key"
            " OR (provider = NEW.provider AND account_id = NEW.account_id)"
            " OR (maintainer_id = NEW.maintainer_id AND provider = NEW.provider"
            " AND status NOT IN ('closed', 'refused') AND NEW.status NOT IN ('closed', 'refused')))",
        ),
    ]


def _refuse(name: str, when: str, condition: str) -> str:
    return (
        f"CREATE TRIGGER guard_provider_account_{name} {when} ON provider_account FOR EACH ROW WHEN {condition}"
        f" BEGIN SELECT RAISE(ABORT, '{KEPT}'); END"
    )


def _postgresql() -> list[str]:
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in FIXED)
    return [
        "CREATE FUNCTION guard_provider_account() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$BEGIN RAISE EXCEPTION '{KEPT}' USING ERRCODE = 'CH002'; END;$$",
        "CREATE TRIGGER guard_provider_account_fixed BEFORE UPDATE ON provider_account FOR EACH ROW"
        f" WHEN ({OVER} OR {changed} OR ({ANOTHER_ID}) OR ({OLDER})) EXECUTE FUNCTION guard_provider_account()",
        "CREATE TRIGGER guard_provider_account_kept BEFORE DELETE OR TRUNCATE ON provider_account"
        " FOR EACH STATEMENT EXECUTE FUNCTION guard_provider_account()",
    ]
