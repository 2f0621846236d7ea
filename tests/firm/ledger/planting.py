"""How a breach is planted: statements that write rows past everything that the product would see to."""

from __future__ import annotations

from dataclasses import dataclass, field

from firm.ledger.model import DIMENSIONS
from migrations.tables import METADATA

NEW = 900_001
MUCH = 10**12
PLANTED_AT = "2026-11-05 09:00:00"
SOMEBODY = "(SELECT MIN(id) FROM maintainer)"

Plants = dict[str, list[str]]
"""What is planted for each invariant."""
MorePlants = list[tuple[str, list[str]]]
"""Other ways to break one that has a plant already."""


@dataclass(frozen=True)
class Sides:
    """Two lines made up to cancel each other, and how they are written down."""

    account: str
    amounts: tuple[object, object]
    dimensions: tuple[dict[str, str], dict[str, str]] = field(default=({}, {}))
    number: int = NEW

    def planted(self, count: int = 2) -> list[str]:
        lines = []
        for position, (amount, whom) in enumerate(zip(self.amounts, self.dimensions, strict=True), 1):
            values = ", ".join(whom.get(name, "''") for name in DIMENSIONS)
            lines += [
                (
                    f"INSERT INTO posting VALUES ({self.number}, {position}, {count}, '{self.account}', 'USD',"
                    f" {amount}, {values})"
                ),
                (
                    "INSERT INTO balance_delta (account, currency, client_id, engagement_id, package_id, maintainer_id,"
                    f" amount_minor) VALUES ('{self.account}', 'USD', {values}, {amount})"
                ),
            ]
        return lines


def head(
    *, number: int = NEW, count: int = 2, month: str = "2026-11", reverses: str = "NULL", at: str = PLANTED_AT
) -> str:
    return (
        "INSERT INTO journal_entry (id, source, month, on_date, narration, line_count, posted_at, posted_by,"
        f" reverses_id) VALUES ({number}, 'plant:{number}', '{month}', '{month}-05', 'Plant', {count}, '{at}',"
        f" 'mallory', {reverses})"
    )


def witness(at: str = PLANTED_AT) -> str:
    return (
        "INSERT INTO audit_record (at, actor, role, verb, subject, facts)"
        f" VALUES ('{at}', 'mallory', 'lead', 'entry.posted', '', '')"
    )


def between(account: str, dimension: str, table: str, amount: int = 1) -> list[str]:
    """An entry that moves an amount from one to another, where nobody may."""
    one = {dimension: f"(SELECT MIN(id) FROM {table})"}
    other = {dimension: f"(SELECT MAX(id) FROM {table})"}
    return [*Sides(account, (amount, -amount), (one, other)).planted(), head(), witness()]


def swapped(table: str, key: str) -> list[str]:
    """Move a cent from one row's amount to another's."""
    changes = []
    for which, change in (("MIN", "+ 1"), ("MAX", "- 1")):
        owner = f"(SELECT {which}({key}) FROM {table})"
        largest = f"(SELECT MAX(amount_minor) FROM {table} WHERE {key} = {owner})"
        changes.append(
            f"UPDATE {table} SET amount_minor = amount_minor {change}"
            f" WHERE {key} = {owner} AND amount_minor = {largest}"
        )
    return changes


def adjusted(name: str, *, amount: int = 5, reverses: str = "NULL") -> str:
    """A correction that no entry books."""
    return (
        "INSERT INTO adjustment (id, number, maintainer_id, kind, month, adjusts_month, amount_minor, funded_minor,"
        f" currency, reason, reverses_id, entry_source, made_at, made_by) SELECT 'adj_{name}', 'ADJ-{name}', MIN(id),"
        f" 'correction', '2026-11', '2026-10', {amount}, 0, 'USD', 'Plant', {reverses}, 'adjustment:{name}',"
        f" '{PLANTED_AT}', 'mallory' FROM maintainer"
    )


class Sql(str):
    """An expression, where plain text would be a value."""


def expression(value: object) -> str:
    if value is None:
        return "NULL"
    return f"'{value}'" if isinstance(value, str) and not isinstance(value, Sql) else str(value)


def row(table: str, *, beside: str = "", **values: object) -> str:
    """A row made up, with what it takes from another one beside it."""
    made = ", ".join(expression(value) for value in values.values())
    return f"INSERT INTO {table} ({', '.join(values)}) SELECT {made} {f'FROM {beside}' if beside else ''}"


def copied(table: str, where: str, **changes: object) -> str:
    """A row like another one but for some columns."""
    same = {column.name: Sql(column.name) for column in METADATA.tables[table].columns}
    return row(table, beside=f"{table} WHERE {where}", **{**same, **changes})
