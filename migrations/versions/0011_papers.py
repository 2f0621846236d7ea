"""papers: tax forms on file, remittance advices, self-billing agreements and the invoices under them

What is on file or issued never changes: a form and an agreement change only in their ends, once. Agreements of one
supplier never overlap; an invoice is taken back by the exact negation, and billed again only after that.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.changing import changed_but_for_its_seal
from firm.columns import MonthText, UtcMoment

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

MOST = 10**15

# Tables whose rows are only ever added, and all their unique keys.
APPEND_ONLY = {
    "remittance_advice": [["id"], ["number"], ["payout_id"]],
    "self_billed_invoice": [
        ["id"], ["maintainer_id", "number"], ["maintainer_id", "series", "position"],
        ["maintainer_id", "month", "kind", "version"], ["credits_id"],
    ],
}

# Tables whose rows stay and change only in their end, and that once.
ENDS = {
    "tax_form": ["superseded_at", "withdrawn_at", "withdrawal_reason"],
    "self_billing_agreement": ["ended_on", "ended_by", "end_reason"],
}
SEALED = {"tax_form": ["tin_sealed", "document_sealed"]}
FIXED = {
    "tax_form": [
        "id", "maintainer_id", "kind", "name", "signed_on", "received_on", "expires_on", "tin_last4",
        "document_sha256", "recorded_at", "recorded_by",
    ],
    "self_billing_agreement": [
        "id", "maintainer_id", "consented_on", "from_on", "until_on", "supplier_name", "supplier_address",
        "supplier_vat_id", "series", "treatment", "rate_bp", "exemption", "recorded_at", "recorded_by",
    ],
}

OVERLAPS = (
    "EXISTS (SELECT 1 FROM self_billing_agreement a WHERE a.maintainer_id = NEW.maintainer_id AND a.id <> NEW.id"
    " AND a.from_on < COALESCE(NEW.ended_on, NEW.until_on) AND NEW.from_on < COALESCE(a.ended_on, a.until_on)"
    # One that was ended before it began holds on no day.
    " AND a.from_on < COALESCE(a.ended_on, a.until_on) AND NEW.from_on < COALESCE(NEW.ended_on, NEW.until_on))"
)
OVERLAP = "agreements of one supplier do not overlap"

# A credit note is its invoice, negated; an invoice after the first follows the credit note of the one before.
ILL_FOUNDED = (
    "(NEW.kind = 'credit-note' AND NOT EXISTS (SELECT 1 FROM self_billed_invoice i WHERE i.id = NEW.credits_id"
    " AND i.kind = 'invoice' AND i.maintainer_id = NEW.maintainer_id AND i.month = NEW.month"
    " AND i.version = NEW.version AND i.currency = NEW.currency AND i.net_minor = -NEW.net_minor"
    " AND i.vat_minor = -NEW.vat_minor)) OR (NEW.kind = 'invoice' AND NEW.version > 1"
    " AND NOT EXISTS (SELECT 1 FROM self_billed_invoice c WHERE c.maintainer_id = NEW.maintainer_id"
    " AND c.month = NEW.month AND c.kind = 'credit-note' AND c.version = NEW.version - 1))"
)
FOUNDED = "a credit note negates its invoice, and a month is billed again after it"

GAP = (
    "NEW.position <> 1 + (SELECT COUNT(*) FROM self_billed_invoice i"
    " WHERE i.maintainer_id = NEW.maintainer_id AND i.series = NEW.series)"
)
GAPLESS = "numbers of a series follow one another"


def upgrade() -> None:
    for column in (
        "tax_forms_required BOOLEAN NOT NULL DEFAULT false",
        "backup_withholding BOOLEAN NOT NULL DEFAULT false",
        "vat_id VARCHAR(20)",
        "self_billing_months INTEGER NOT NULL DEFAULT 12"
        " CONSTRAINT ck_profile_self_billing_months_range CHECK (self_billing_months BETWEEN 1 AND 60)",
    ):
        op.execute(f"ALTER TABLE profile ADD COLUMN {column}")
    _tax_form()
    _remittance_advice()
    _self_billing()
    for statement in _postgresql() if _is_postgresql() else _sqlite():
        op.execute(statement)


def downgrade() -> None:
    if _is_postgresql():
        for name in ("guard_agreement", "guard_self_billed_invoice", "guard_series"):
            op.execute(f"DROP FUNCTION {name}() CASCADE")
    for table in (
        "self_billed_invoice", "self_billing_series", "self_billing_agreement", "remittance_advice", "tax_form",
    ):
        op.drop_table(table)
    for column in ("self_billing_months", "vat_id", "backup_withholding", "tax_forms_required"):
        op.execute(f"ALTER TABLE profile DROP COLUMN {column}")


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _whole(table: str, column: str, least: int = -MOST) -> sa.CheckConstraint:
    return _check(
        table,
        f"{column}_whole",
        f"{column} = CAST({column} AS BIGINT) AND {column} BETWEEN {least} AND {MOST}",
    )


def _foreign(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))


def _tax_form() -> None:
    table = "tax_form"
    op.create_table(
        table,
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("maintainer_id", sa.String(34), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date()),
        sa.Column("tin_sealed", sa.Text()),
        sa.Column("tin_last4", sa.String(4)),
        sa.Column("document_sealed", sa.Text()),
        sa.Column("document_sha256", sa.String(64)),
        sa.Column("recorded_at", UtcMoment(), nullable=False),
        sa.Column("recorded_by", sa.String(200), nullable=False),
        sa.Column("superseded_at", UtcMoment()),
        sa.Column("withdrawn_at", UtcMoment()),
        sa.Column("withdrawal_reason", sa.String(400)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_form")),
        _foreign(table, "maintainer_id", "maintainer"),
        _check(table, "kind_known", "kind IN ('W-9', 'W-8BEN', 'W-8BEN-E')"),
        _check(table, "expiry_by_kind", "(kind = 'W-9') = (expires_on IS NULL)"),
        _check(table, "expires_after_signing", "expires_on > signed_on"),
        _check(table, "received_after_signing", "received_on >= signed_on"),
        _check(table, "tin_whole", "(tin_sealed IS NULL) = (tin_last4 IS NULL)"),
        _check(table, "w9_has_tin", "kind <> 'W-9' OR tin_sealed IS NOT NULL"),
        _check(table, "document_whole", "(document_sealed IS NULL) = (document_sha256 IS NULL)"),
        _check(table, "withdrawal_whole", "(withdrawn_at IS NULL) = (withdrawal_reason IS NULL)"),
    )
    live = sa.text("superseded_at IS NULL AND withdrawn_at IS NULL")
    op.create_index(
        "uq_tax_form_live", table, ["maintainer_id"], unique=True, sqlite_where=live, postgresql_where=live
    )
    op.create_index("ix_tax_form_maintainer", table, ["maintainer_id", "id"])


def _remittance_advice() -> None:
    table = "remittance_advice"
    op.create_table(
        table,
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("number", sa.String(40), nullable=False),
        sa.Column("payout_id", sa.String(34), nullable=False),
        sa.Column("maintainer_id", sa.String(34), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("issued_at", UtcMoment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remittance_advice")),
        sa.UniqueConstraint("number", name=op.f("uq_remittance_advice_number")),
        sa.UniqueConstraint("payout_id", name=op.f("uq_remittance_advice_payout_id")),
        _foreign(table, "payout_id", "payout"),
        _foreign(table, "maintainer_id", "maintainer"),
        _whole(table, "amount_minor", least=1),
    )
    op.create_index("ix_remittance_advice_maintainer", table, ["maintainer_id", "id"])


def _self_billing() -> None:
    table = "self_billing_agreement"
    op.create_table(
        table,
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("maintainer_id", sa.String(34), nullable=False),
        sa.Column("consented_on", sa.Date(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("supplier_name", sa.String(200), nullable=False),
        sa.Column("supplier_address", sa.Text(), nullable=False),
        sa.Column("supplier_vat_id", sa.String(20)),
        sa.Column("series", sa.String(24), nullable=False),
        sa.Column("treatment", sa.String(20), nullable=False),
        sa.Column("rate_bp", sa.Integer()),
        sa.Column("exemption", sa.String(300)),
        sa.Column("ended_on", sa.Date()),
        sa.Column("ended_by", sa.String(10)),
        sa.Column("end_reason", sa.String(400)),
        sa.Column("recorded_at", UtcMoment(), nullable=False),
        sa.Column("recorded_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_self_billing_agreement")),
        _foreign(table, "maintainer_id", "maintainer"),
        _check(table, "treatment_known", "treatment IN ('domestic', 'reverse-charge', 'small-business')"),
        _check(table, "days_in_order", "consented_on <= from_on AND from_on < until_on"),
        _check(table, "rate_by_treatment", "(treatment = 'domestic') = (rate_bp IS NOT NULL)"),
        _check(table, "rate_bp_range", "rate_bp BETWEEN 1 AND 10000"),
        _check(table, "exemption_by_treatment", "(treatment = 'small-business') = (exemption IS NOT NULL)"),
        _check(table, "vat_id_by_treatment", "treatment = 'small-business' OR supplier_vat_id IS NOT NULL"),
        _check(
            table,
            "ending_whole",
            "(ended_on IS NULL) = (ended_by IS NULL) AND (ended_on IS NULL) = (end_reason IS NULL)",
        ),
        _check(table, "ended_within", "ended_on BETWEEN from_on AND until_on"),
        _check(table, "ended_by_known", "ended_by IN ('firm', 'supplier')"),
    )
    op.create_index("ix_self_billing_agreement_maintainer", table, ["maintainer_id", "from_on"])
    op.create_table(
        "self_billing_series",
        sa.Column("maintainer_id", sa.String(34), nullable=False),
        sa.Column("series", sa.String(24), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("maintainer_id", "series", name=op.f("pk_self_billing_series")),
        _foreign("self_billing_series", "maintainer_id", "maintainer"),
        _check("self_billing_series", "last_positive", "last >= 1"),
    )
    _self_billed_invoice()


def _self_billed_invoice() -> None:
    table = "self_billed_invoice"
    op.create_table(
        table,
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("number", sa.String(40), nullable=False),
        sa.Column("maintainer_id", sa.String(34), nullable=False),
        sa.Column("agreement_id", sa.String(34), nullable=False),
        sa.Column("statement_id", sa.String(34), nullable=False),
        sa.Column("credits_id", sa.String(34)),
        sa.Column("month", MonthText(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("series", sa.String(24), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("vat_minor", sa.BigInteger(), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("issued_at", UtcMoment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_self_billed_invoice")),
        *(
            sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))
            for columns in APPEND_ONLY[table][1:4]
        ),
        _foreign(table, "maintainer_id", "maintainer"),
        _foreign(table, "agreement_id", "self_billing_agreement"),
        _foreign(table, "statement_id", "statement"),
        _foreign(table, "credits_id", "self_billed_invoice"),
        _check(table, "kind_known", "kind IN ('invoice', 'credit-note')"),
        _check(table, "adds_up", "net_minor + vat_minor = gross_minor"),
        _check(
            table,
            "sign_by_kind",
            "(kind = 'invoice' AND net_minor > 0 AND vat_minor >= 0) OR"
            " (kind = 'credit-note' AND net_minor < 0 AND vat_minor <= 0)",
        ),
        _check(table, "credit_note_refers", "(kind = 'credit-note') = (credits_id IS NOT NULL)"),
        _check(table, "counted_from_one", "position >= 1 AND version >= 1"),
        *(_whole(table, column) for column in ("net_minor", "vat_minor", "gross_minor")),
    )
    credits = sa.text("credits_id IS NOT NULL")
    op.create_index(
        "uq_self_billed_invoice_credits",
        table,
        ["credits_id"],
        unique=True,
        sqlite_where=credits,
        postgresql_where=credits,
    )


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _ended_again(table: str, same: str) -> str:
    """Changed in what is fixed, or in an end that has come already."""
    fixed = [f"OLD.{column} {same} NEW.{column}" for column in FIXED[table]]
    ended = [f"(OLD.{column} IS NOT NULL AND OLD.{column} {same} NEW.{column})" for column in ENDS[table]]
    sealed = [changed_but_for_its_seal([], column) for column in SEALED.get(table, [])]
    return " OR ".join([*fixed, *ended, *sealed])


def _kept(table: str) -> str:
    return f"rows of {table} stay, and end once"


def _sqlite() -> list[str]:
    found = []
    for table, keys in APPEND_ONLY.items():
        never = f"rows of {table} are never changed or deleted"
        found += [
            _refuse(f"{table}_no_update", f"BEFORE UPDATE ON {table}", "1", never),
            _refuse(f"{table}_no_delete", f"BEFORE DELETE ON {table}", "1", never),
            _no_replace(table, keys),
        ]
    for table in ENDS:
        found += [
            _refuse(f"{table}_fixed", f"BEFORE UPDATE ON {table}", _ended_again(table, "IS NOT"), _kept(table)),
            _refuse(f"{table}_no_delete", f"BEFORE DELETE ON {table}", "1", _kept(table)),
            _no_replace(table, [["id"]]),
        ]
    found += [
        _refuse("agreements_apart", "BEFORE INSERT ON self_billing_agreement", OVERLAPS, OVERLAP),
        _refuse("self_billed_invoice_founded", "BEFORE INSERT ON self_billed_invoice", ILL_FOUNDED, FOUNDED),
        _refuse("self_billed_invoice_gapless", "BEFORE INSERT ON self_billed_invoice", GAP, GAPLESS),
        _refuse("series_forward", "BEFORE UPDATE ON self_billing_series", BACKWARD, GAPLESS),
        _refuse("series_kept", "BEFORE DELETE ON self_billing_series", "1", GAPLESS),
    ]
    return found


BACKWARD = "NEW.last <> OLD.last + 1 OR NEW.maintainer_id <> OLD.maintainer_id OR NEW.series <> OLD.series"


def _no_replace(table: str, keys: list[list[str]]) -> str:
    same = [" AND ".join(f"{column} = NEW.{column}" for column in key) for key in keys]
    exists = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {condition})" for condition in [*same, "rowid = NEW.rowid"])
    return _refuse(f"{table}_no_replace", f"BEFORE INSERT ON {table}", exists, f"already there: the row of {table} exists")


def _refuse(name: str, when: str, condition: str, message: str) -> str:
    return (
        f"CREATE TRIGGER guard_{name} {when} FOR EACH ROW WHEN {condition}"
        f" BEGIN SELECT RAISE(ABORT, '{message}'); END"
    )


def _postgresql() -> list[str]:
    # The supplier's row is locked first: of two at the same moment, the second looks when the first has committed.
    lock = "PERFORM 1 FROM maintainer WHERE id = NEW.maintainer_id FOR NO KEY UPDATE;"
    found = [
        _function("guard_agreement", f"{lock} IF {OVERLAPS} THEN {_raise(OVERLAP)} END IF; RETURN NEW;"),
        _function(
            "guard_self_billed_invoice",
            f"{lock} IF {ILL_FOUNDED} THEN {_raise(FOUNDED)} END IF; IF {GAP} THEN {_raise(GAPLESS)} END IF; RETURN NEW;",
        ),
        _function("guard_series", f"IF {BACKWARD} THEN {_raise(GAPLESS)} END IF; RETURN NEW;"),
        _on("self_billing_agreement", "apart", "BEFORE INSERT", "ROW", "guard_agreement"),
        _on("self_billed_invoice", "founded", "BEFORE INSERT", "ROW", "guard_self_billed_invoice"),
        _on("self_billing_series", "forward", "BEFORE UPDATE", "ROW", "guard_series"),
        _on("self_billing_series", "kept", "BEFORE DELETE OR TRUNCATE", "STATEMENT", "guard_refuse"),
    ]
    for table in APPEND_ONLY:
        found.append(_on(table, "append_only", "BEFORE UPDATE OR DELETE OR TRUNCATE", "STATEMENT", "guard_refuse"))
    for table in ENDS:
        found += [
            f"CREATE TRIGGER guard_{table}_fixed BEFORE UPDATE ON {table} FOR EACH ROW"
            f" WHEN ({_ended_again(table, 'IS DISTINCT FROM')}) EXECUTE FUNCTION guard_refuse()",
            _on(table, "kept", "BEFORE DELETE OR TRUNCATE", "STATEMENT", "guard_refuse"),
        ]
    return found


def _function(name: str, body: str) -> str:
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body} END;$$"


def _raise(message: str) -> str:
    return f"RAISE EXCEPTION '{message}' USING ERRCODE = 'CH002';"


def _on(table: str, name: str, when: str, each: str, function: str) -> str:
    return f"CREATE TRIGGER guard_{table}_{name} {when} ON {table} FOR EACH {each} EXECUTE FUNCTION {function}()"
