"""approvers: the permission to approve goes with the roles that decide something in the office

Principals that had it with another role keep it on record until they are next changed; it opens nothing any more.
"""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

WRONG = "NEW.may_approve AND NEW.role NOT IN ('lead', 'administrator', 'approver')"
WORDS = "the permission to approve is for leads, administrators and approvers"
WHEN = {"enrolled": "INSERT", "changed": "UPDATE OF role, may_approve"}


def upgrade() -> None:
    if _is_postgresql():
        op.execute(
            "CREATE FUNCTION guard_principal_may_approve() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN"
            f" IF {WRONG} THEN RAISE EXCEPTION '{WORDS}' USING ERRCODE = 'CH002'; END IF; RETURN NEW; END$$"
        )
    action = (
        "EXECUTE FUNCTION guard_principal_may_approve()"
        if _is_postgresql()
        else f"WHEN {WRONG} BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"
    )
    for name, when in WHEN.items():
        op.execute(f"CREATE TRIGGER guard_principal_{name} BEFORE {when} ON principal FOR EACH ROW {action}")


def downgrade() -> None:
    if _is_postgresql():
        op.execute("DROP FUNCTION guard_principal_may_approve() CASCADE")
        return
    for name in WHEN:
        op.execute(f"DROP TRIGGER guard_principal_{name}")


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"
