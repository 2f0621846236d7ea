"""the guards: balance, immutability, closed periods and the ways of a payout, on both databases

Raw SQL must not be able to do what the product would not: see the attacks in tests/firm/ledger/test_attacks.py.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Tables whose rows are only ever added, with their keys.
APPEND_ONLY = {
    "account": ["code", "currency"],
    "journal_entry": ["id"],
    "posting": ["entry_id", "line"],
    "audit_record": ["id"],
    "audit_link": ["seq"],
    "invoiced_month": ["engagement_id", "month"],
    "recognition": ["engagement_id", "month"],
    "receipt": ["id"],
    "allocation": ["month"],
    "allocation_share": ["month", "engagement_id", "kind", "target"],
    "earning": ["month", "maintainer_id", "line"],
    "statement": ["id"],
    "funded_work_report": ["id"],
    "rail_file": ["id"],
}

# Further unique keys: INSERT OR REPLACE would delete the row that holds one. Tables of one integer key have no
# rowid beside it; the others have, and a row can be replaced by that too.
OTHER_KEYS = {
    "invoice": [["id"], ["number"]],
    "period": [["month"]],
    "payout": [["id"], ["run_id", "maintainer_id"]],
    "payout_attempt": [["id"], ["key"], ["payout_id", "number"]],
    "destination": [["id"]],
    "api_token": [["id"], ["digest"]],
    "principal": [["id"], ["name"]],
    "receipt": [["reference"]],
    "statement": [["number"], ["maintainer_id", "month", "version"]],
    "funded_work_report": [["number"]],
    "rail_file": [["message_id"], ["run_id", "rail"]],
    "audit_link": [["record_id"]],
}
WITHOUT_OTHER_ROWID = ["journal_entry", "audit_record", "audit_link", "posting"]

# Tables whose rows stay and may change only in these columns.
MAY_CHANGE = {
    "invoice": ["received_minor", "state"],
    "period": ["state", "closed_at", "closed_by"],
    "payout": ["state", "reference", "reason", "settled_on"],
    "payout_attempt": ["state", "leased_until", "finished_at", "detail"],
    "destination": ["replaced_at"],
    "api_token": ["revoked_at", "expires_at", "proved_at"],
    "principal": ["role", "subject_id", "may_approve", "disabled_at", "totp_sealed", "totp_step"],
    "exchange_rate": ["rate", "source", "set_at", "set_by"],
}
FIXED = {
    "invoice": [
        "id", "number", "client_id", "engagement_id", "issued_on", "due_on", "from_month", "until_month",
        "total_minor", "currency", "figures", "issued_at",
    ],
    "period": ["month"],
    "payout": [
        "id", "run_id", "maintainer_id", "destination_id", "rail", "amount_minor", "currency", "payee_name",
    ],
    "payout_attempt": ["id", "payout_id", "number", "key", "request_digest", "started_at"],
    "destination": ["id", "maintainer_id", "rail", "holder", "country", "iban_sealed", "iban_last4", "bic"],
    "api_token": ["id", "principal_id", "label", "scopes", "digest", "created_at", "created_by"],
    "principal": ["id", "name", "kind", "created_at", "created_by"],
    "exchange_rate": ["currency", "month"],
}

PAYOUT_EDGES = {
    "planned": ["reserved", "canceled"],
    "reserved": ["sending"],
    "sending": ["sent", "refused", "unknown"],
    "unknown": ["sent", "refused"],
    "sent": ["settled", "returned"],
    "settled": ["returned"],
}
RUN_EDGES = {
    "draft": ["proposed", "canceled"],
    "proposed": ["approved", "canceled"],
    "approved": ["releasing"],
    "releasing": ["settled", "partly-settled"],
    "settled": ["partly-settled"],
}


def upgrade() -> None:
    for statement in _postgresql() if _is_postgresql() else _sqlite():
        op.execute(statement)


def downgrade() -> None:
    for statement in _postgresql_down() if _is_postgresql() else _sqlite_down():
        op.execute(statement)


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _forbidden_edge(edges: dict[str, list[str]]) -> str:
    allowed = " OR ".join(
        f"(OLD.state = '{before}' AND NEW.state IN ({', '.join(repr(s) for s in after)}))"
        for before, after in edges.items()
    )
    return f"OLD.state <> NEW.state AND NOT ({allowed})"


# SQLite: one trigger a rule, each with a name that says it.

_SAME_LINE = (
    "r.entry_id = NEW.id AND r.line = o.line AND r.account = o.account AND r.currency = o.currency"
    " AND r.amount_minor = -o.amount_minor AND r.client_id = o.client_id"
    " AND r.engagement_id = o.engagement_id AND r.package_id = o.package_id"
    " AND r.maintainer_id = o.maintainer_id"
)


# A month cannot be opened before the books begin, nor before one that is closed.
_PERIOD_TOO_EARLY = (
    "EXISTS (SELECT 1 FROM period WHERE month > NEW.month AND state = 'closed')"
    " OR NEW.month < (SELECT MIN(month) FROM period)"
)


def _sqlite() -> list[str]:
    statements = []
    for table, key in APPEND_ONLY.items():
        same = " AND ".join(f"{column} = NEW.{column}" for column in key)
        message = f"rows of {table} are never changed or deleted"
        statements += [
            _refuse(f"{table}_no_update", f"BEFORE UPDATE ON {table}", "1", message),
            _refuse(f"{table}_no_delete", f"BEFORE DELETE ON {table}", "1", message),
            _no_replace(table, [key, *OTHER_KEYS.get(table, [])]),
        ]
    for table, columns in FIXED.items():
        changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in columns)
        message = f"rows of {table} change only in {', '.join(MAY_CHANGE[table])}"
        statements += [
            _refuse(f"{table}_fixed", f"BEFORE UPDATE ON {table}", changed, message),
            _refuse(f"{table}_no_delete", f"BEFORE DELETE ON {table}", "1", f"rows of {table} are never deleted"),
        ]
        if table in OTHER_KEYS:
            statements.append(_no_replace(table, OTHER_KEYS[table]))
    statements += [
        _refuse(
            "journal_entry_once",
            "BEFORE INSERT ON journal_entry",
            "EXISTS (SELECT 1 FROM journal_entry WHERE source = NEW.source)"
            " OR (NEW.reverses_id IS NOT NULL"
            " AND EXISTS (SELECT 1 FROM journal_entry WHERE reverses_id = NEW.reverses_id))",
            "already posted: a source, and a reversal, is booked once",
        ),
        _refuse(
            "journal_entry_period_open",
            "BEFORE INSERT ON journal_entry",
            "NOT EXISTS (SELECT 1 FROM period WHERE month = NEW.month AND state = 'open')"
            " OR substr(NEW.on_date, 1, 7) <> NEW.month",
            "the period is not open",
        ),
        _refuse(
            "journal_entry_seals_its_lines",
            "BEFORE INSERT ON journal_entry",
            "NEW.id IS NULL OR NEW.line_count <> (SELECT COUNT(*) FROM posting WHERE entry_id = NEW.id)"
            " OR EXISTS (SELECT 1 FROM posting WHERE entry_id = NEW.id"
            " GROUP BY currency HAVING SUM(amount_minor) <> 0)"
            # These two are foreign keys as well, for connections that do not check them.
            " OR EXISTS (SELECT 1 FROM posting p WHERE p.entry_id = NEW.id AND (p.line_count <> NEW.line_count"
            " OR NOT EXISTS (SELECT 1 FROM account a WHERE a.code = p.account AND a.currency = p.currency)))"
            " OR (NEW.reverses_id IS NOT NULL"
            " AND NOT EXISTS (SELECT 1 FROM journal_entry WHERE id = NEW.reverses_id))",
            "an entry seals lines that balance, and all of them",
        ),
        _refuse(
            "journal_entry_reverses_exactly",
            "BEFORE INSERT ON journal_entry",
            "NEW.reverses_id IS NOT NULL AND (NEW.line_count <> (SELECT line_count FROM journal_entry"
            " WHERE id = NEW.reverses_id) OR EXISTS (SELECT 1 FROM posting o WHERE o.entry_id = NEW.reverses_id"
            f" AND NOT EXISTS (SELECT 1 FROM posting r WHERE {_SAME_LINE})))",
            "a reversal is the exact negation",
        ),
        _refuse(
            "posting_entry_sealed",
            "BEFORE INSERT ON posting",
            "EXISTS (SELECT 1 FROM journal_entry WHERE id = NEW.entry_id)",
            "the entry is sealed and takes no further line",
        ),
        _refuse("period_in_order", "BEFORE INSERT ON period", _PERIOD_TOO_EARLY, "the period is not open"),
        _refuse(
            "period_stays_closed", "BEFORE UPDATE ON period", "OLD.state = 'closed'", "a closed period stays closed"
        ),
        _refuse("payout_edges", "BEFORE UPDATE ON payout", _forbidden_edge(PAYOUT_EDGES), "a payout may not go there"),
        _refuse("payout_run_edges", "BEFORE UPDATE ON payout_run", _forbidden_edge(RUN_EDGES), "a run may not go there"),
        _refuse(
            "payout_run_digest_fixed",
            "BEFORE UPDATE ON payout_run",
            "OLD.state <> 'draft' AND OLD.digest IS NOT NEW.digest",
            "what was proposed is what is approved",
        ),
        _refuse(
            "payout_only_into_draft",
            "BEFORE INSERT ON payout",
            "NEW.state <> 'planned' OR NOT EXISTS"
            " (SELECT 1 FROM payout_run WHERE id = NEW.run_id AND state = 'draft')",
            "payouts are added to a draft, planned",
        ),
    ]
    return statements


def _no_replace(table: str, keys: list[list[str]]) -> str:
    """INSERT OR REPLACE deletes silently on connections without recursive triggers: refuse keys that exist."""
    same = [" AND ".join(f"{column} = NEW.{column}" for column in key) for key in keys]
    if table not in WITHOUT_OTHER_ROWID:
        same.append("rowid = NEW.rowid")
    exists = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {condition})" for condition in same)
    return _refuse(f"{table}_no_replace", f"BEFORE INSERT ON {table}", exists, f"already posted: the row of {table} exists")


def _refuse(name: str, when: str, condition: str, message: str) -> str:
    return (
        f"CREATE TRIGGER guard_{name} {when} FOR EACH ROW WHEN {condition}"
        f" BEGIN SELECT RAISE(ABORT, '{message}'); END"
    )


def _sqlite_down() -> list[str]:
    names = op.get_bind().exec_driver_sql(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'guard_%'"
    )
    return [f"DROP TRIGGER {name}" for (name,) in names]


# PostgreSQL: statement triggers with transition tables where rows come in bulk.

_FUNCTIONS = {
    "guard_refuse": """
        BEGIN
            RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME USING ERRCODE = 'CH002';
        END""",
    "guard_seal_entries": """
        BEGIN
            -- FOR SHARE: a close that is under way is waited for, and one that comes later waits for us.
            IF (SELECT COUNT(*) FROM (SELECT month FROM period
                    WHERE state = 'open' AND month IN (SELECT month FROM sealed) FOR SHARE) AS locked)
                <> (SELECT COUNT(DISTINCT month) FROM sealed)
                OR EXISTS (SELECT 1 FROM sealed WHERE to_char(on_date, 'YYYY-MM') <> month) THEN
                RAISE EXCEPTION 'the period is not open' USING ERRCODE = 'CH001';
            END IF;
            IF EXISTS (SELECT 1 FROM sealed s LEFT JOIN posting p ON p.entry_id = s.id
                    GROUP BY s.id, s.line_count HAVING COUNT(p.line) <> s.line_count)
                OR EXISTS (SELECT 1 FROM sealed s JOIN posting p ON p.entry_id = s.id
                    GROUP BY s.id, p.currency HAVING SUM(p.amount_minor) <> 0) THEN
                RAISE EXCEPTION 'an entry seals lines that balance, and all of them' USING ERRCODE = 'CH003';
            END IF;
            IF EXISTS (SELECT 1 FROM sealed s JOIN journal_entry e ON e.id = s.reverses_id
                    JOIN posting o ON o.entry_id = e.id LEFT JOIN posting r ON r.entry_id = s.id
                    AND r.line = o.line AND r.account = o.account AND r.currency = o.currency
                    AND r.amount_minor = -o.amount_minor AND r.client_id = o.client_id
                    AND r.engagement_id = o.engagement_id AND r.package_id = o.package_id
                    AND r.maintainer_id = o.maintainer_id
                    WHERE r.entry_id IS NULL OR s.line_count <> e.line_count) THEN
                RAISE EXCEPTION 'a reversal is the exact negation' USING ERRCODE = 'CH003';
            END IF;
            RETURN NULL;
        END""",
    "guard_period": """
        BEGIN
            IF OLD.state = 'closed' THEN
                RAISE EXCEPTION 'a closed period stays closed' USING ERRCODE = 'CH002';
            END IF;
            RETURN NEW;
        END""",
    "guard_period_order": f"""
        BEGIN
            IF {_PERIOD_TOO_EARLY} THEN
                RAISE EXCEPTION 'the period is not open' USING ERRCODE = 'CH001';
            END IF;
            RETURN NEW;
        END""",
    "guard_payout_insert": """
        BEGIN
            IF EXISTS (SELECT 1 FROM added a LEFT JOIN payout_run r ON r.id = a.run_id
                    WHERE a.state <> 'planned' OR r.state IS DISTINCT FROM 'draft') THEN
                RAISE EXCEPTION 'payouts are added to a draft, planned' USING ERRCODE = 'CH002';
            END IF;
            RETURN NULL;
        END""",
    "guard_payout_edges": f"""
        BEGIN
            IF {_forbidden_edge(PAYOUT_EDGES)} THEN
                RAISE EXCEPTION 'a payout may not go there' USING ERRCODE = 'CH002';
            END IF;
            RETURN NEW;
        END""",
    "guard_payout_run_edges": f"""
        BEGIN
            IF {_forbidden_edge(RUN_EDGES)} THEN
                RAISE EXCEPTION 'a run may not go there' USING ERRCODE = 'CH002';
            END IF;
            IF OLD.state <> 'draft' AND OLD.digest IS DISTINCT FROM NEW.digest THEN
                RAISE EXCEPTION 'what was proposed is what is approved' USING ERRCODE = 'CH002';
            END IF;
            RETURN NEW;
        END""",
}


def _postgresql() -> list[str]:
    statements = [
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body};$$"
        for name, body in _FUNCTIONS.items()
    ]
    for table in APPEND_ONLY:
        statements.append(_on(table, "append_only", "BEFORE UPDATE OR DELETE OR TRUNCATE", "STATEMENT", "guard_refuse"))
    for table, columns in FIXED.items():
        changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in columns)
        statements += [
            f"CREATE TRIGGER guard_{table}_fixed BEFORE UPDATE ON {table} FOR EACH ROW"
            f" WHEN ({changed}) EXECUTE FUNCTION guard_refuse()",
            _on(table, "kept", "BEFORE DELETE OR TRUNCATE", "STATEMENT", "guard_refuse"),
        ]
    statements += [
        "CREATE TRIGGER guard_journal_entry_seals AFTER INSERT ON journal_entry"
        " REFERENCING NEW TABLE AS sealed FOR EACH STATEMENT EXECUTE FUNCTION guard_seal_entries()",
        "CREATE TRIGGER guard_payout_added AFTER INSERT ON payout"
        " REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION guard_payout_insert()",
        _on("period", "in_order", "BEFORE INSERT", "ROW", "guard_period_order"),
        _on("period", "stays_closed", "BEFORE UPDATE", "ROW", "guard_period"),
        _on("payout", "edges", "BEFORE UPDATE", "ROW", "guard_payout_edges"),
        _on("payout_run", "edges", "BEFORE UPDATE", "ROW", "guard_payout_run_edges"),
    ]
    return statements


def _on(table: str, name: str, when: str, each: str, function: str) -> str:
    return f"CREATE TRIGGER guard_{table}_{name} {when} ON {table} FOR EACH {each} EXECUTE FUNCTION {function}()"


def _postgresql_down() -> list[str]:
    return [f"DROP FUNCTION {name}() CASCADE" for name in _FUNCTIONS]
