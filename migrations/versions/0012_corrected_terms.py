"""corrected terms: pay terms of an open month are superseded by others, and stay on record

Of one maintainer's terms from one month one version is in force. A version is superseded once, by one of the same
maintainer and month, and never once that month is closed; none is deleted.
"""

from __future__ import annotations

from alembic import op

from migrations.changing import definition_of, rebuild

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

COLUMNS = {"corrects_id": "VARCHAR(34)", "reason": "VARCHAR(400)", "superseded_at": "{moment}"}
ONE_EACH = "CONSTRAINT uq_pay_terms_maintainer_id_from_month UNIQUE (maintainer_id, from_month)"
CORRECTS = "CONSTRAINT fk_pay_terms_corrects_id FOREIGN KEY (corrects_id) REFERENCES pay_terms (id)"
WHOLE = "CONSTRAINT ck_pay_terms_correction_whole CHECK ((corrects_id IS NULL) = (reason IS NULL))"

FIXED = (
    "OLD.superseded_at IS NOT NULL OR NEW.superseded_at IS NULL"
    " OR EXISTS (SELECT 1 FROM period WHERE state = 'closed' AND month >= OLD.from_month)"
)
ONCE = "terms are superseded once, and not when their month is closed"
ILL_FOUNDED = (
    "NEW.corrects_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM pay_terms o WHERE o.id = NEW.corrects_id"
    " AND o.maintainer_id = NEW.maintainer_id AND o.from_month = NEW.from_month AND o.superseded_at IS NOT NULL)"
)
FOUNDED = "terms correct superseded ones of the same maintainer and month"
KEPT = "pay terms are never deleted"


def upgrade() -> None:
    for name, definition in _columns().items():
        op.execute(f"ALTER TABLE pay_terms ADD COLUMN {name} {definition}")
    if _is_postgresql():
        op.execute("ALTER TABLE pay_terms DROP CONSTRAINT uq_pay_terms_maintainer_id_from_month")
        op.execute(f"ALTER TABLE pay_terms ADD {CORRECTS}")
        op.execute(f"ALTER TABLE pay_terms ADD {WHOLE}")
    else:
        rebuild("pay_terms", _with(ONE_EACH, f"{CORRECTS}, {WHOLE}"))
    op.execute(
        "CREATE UNIQUE INDEX uq_pay_terms_in_force ON pay_terms (maintainer_id, from_month)"
        " WHERE superseded_at IS NULL"
    )
    op.execute("CREATE UNIQUE INDEX uq_pay_terms_corrects_id ON pay_terms (corrects_id) WHERE corrects_id IS NOT NULL")
    for statement in _postgresql() if _is_postgresql() else _sqlite():
        op.execute(statement)


def downgrade() -> None:
    if _is_postgresql():
        op.execute("DROP TRIGGER guard_pay_terms_kept ON pay_terms")
        op.execute("DROP FUNCTION guard_pay_terms_superseded() CASCADE")
        op.execute("DROP FUNCTION guard_pay_terms_correction() CASCADE")
    else:
        for name in ("superseded", "correction", "kept"):
            op.execute(f"DROP TRIGGER guard_pay_terms_{name}")
    # The schema before had no word for them.
    superseded = "(SELECT id FROM pay_terms WHERE superseded_at IS NOT NULL)"
    for table in ("pay_terms_fund_share", "pay_terms_fixed_fee"):
        op.execute(f"DELETE FROM {table} WHERE terms_id IN {superseded}")
    op.execute("UPDATE pay_terms SET corrects_id = NULL, reason = NULL")
    op.execute("DELETE FROM pay_terms WHERE superseded_at IS NOT NULL")
    op.execute("DROP INDEX uq_pay_terms_corrects_id")
    op.execute("DROP INDEX uq_pay_terms_in_force")
    if _is_postgresql():
        op.execute(f"ALTER TABLE pay_terms ADD {ONE_EACH}")
        for name in COLUMNS:
            op.execute(f"ALTER TABLE pay_terms DROP COLUMN {name} CASCADE")
        return
    rebuild("pay_terms", _with(f"{CORRECTS}, {WHOLE}", ONE_EACH))
    for name in COLUMNS:
        op.execute(f"ALTER TABLE pay_terms DROP COLUMN {name}")


def _columns() -> dict[str, str]:
    moment = "TIMESTAMP WITH TIME ZONE" if _is_postgresql() else "DATETIME"
    return {name: definition.format(moment=moment) for name, definition in COLUMNS.items()}


def _with(before: str, after: str) -> str:
    """SQLite's definition of the table with other constraints."""
    definition = definition_of("pay_terms")
    if before not in definition:
        raise LookupError(f"pay_terms has no such constraint: {before}")
    return definition.replace(before, after)


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _sqlite() -> list[str]:
    return [
        _refuse("superseded", "BEFORE UPDATE OF superseded_at", FIXED, ONCE),
        _refuse("correction", "BEFORE INSERT", ILL_FOUNDED, FOUNDED),
        _refuse("kept", "BEFORE DELETE", "1", KEPT),
    ]


def _refuse(name: str, when: str, condition: str, message: str) -> str:
    return (
        f"CREATE TRIGGER guard_pay_terms_{name} {when} ON pay_terms FOR EACH ROW WHEN {condition}"
        f" BEGIN SELECT RAISE(ABORT, '{message}'); END"
    )


def _postgresql() -> list[str]:
    return [
        _function("superseded", FIXED, ONCE),
        "CREATE TRIGGER guard_pay_terms_superseded BEFORE UPDATE OF superseded_at ON pay_terms"
        " FOR EACH ROW EXECUTE FUNCTION guard_pay_terms_superseded()",
        _function("correction", ILL_FOUNDED, FOUNDED),
        "CREATE TRIGGER guard_pay_terms_correction BEFORE INSERT ON pay_terms"
        " FOR EACH ROW EXECUTE FUNCTION guard_pay_terms_correction()",
        "CREATE TRIGGER guard_pay_terms_kept BEFORE DELETE OR TRUNCATE ON pay_terms"
        " FOR EACH STATEMENT EXECUTE FUNCTION guard_refuse()",
    ]


def _function(name: str, condition: str, message: str) -> str:
    return (
        f"CREATE FUNCTION guard_pay_terms_{name}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN"
        f" IF {condition} THEN RAISE EXCEPTION '{message}' USING ERRCODE = 'CH002'; END IF;"
        " RETURN NEW; END$$"
    )
