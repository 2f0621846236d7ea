"""Who and what the made-up firm consists of."""

from __future__ import annotations

from dataclasses import dataclass, field

from staffing.work.git import Person

FIRM = "Fjord & Partners"
ADDRESS = ("Strandgata 12", "5004 Bergen")
EMAIL = "office@fjord.example"
FIRM_IBAN = "NO9386011117947"


@dataclass(frozen=True, slots=True)
class DemoClient:
    """A client, its engagement, and how many days it takes to pay."""

    name: str
    country: str
    tier: str
    fee: str
    cycle: str
    days_to_pay: int
    interests: tuple[tuple[str, bool, int], ...]


@dataclass(frozen=True, slots=True)
class DemoMaintainer:
    """A maintainer: terms in the words of the command line, and the names they appear under."""

    name: str
    email: str
    country: str
    grade: str
    works_as: str
    rail: str
    iban: str | None = None
    assignments: tuple[tuple[str, str, int], ...] = ()
    guarantee: str | None = None
    growth_bp: int = 0
    baseline: str | None = None
    cap: str | None = None
    fund_shares: dict[str, int] = field(default_factory=dict)
    fixed_fees: dict[str, str] = field(default_factory=dict)
    other_names: tuple[Person, ...] = ()

    @property
    def person(self) -> Person:
        return Person(self.name, self.email)


PACKAGES = {
    "example.org/tidewire": ("Go", 4, "tidewire"),
    "example.org/tidewire/mux": ("Go", 2, "tidewire-mux"),
    "keelson": ("PyPI", 3, "keelson"),
    "harbor-lint": ("npm", 2, "harbor-lint"),
    "lodestar": ("crates.io", 1, "lodestar"),
}
"""Name to ecosystem, weight in the plan, and folder in the repository."""

CLIENTS = (
    DemoClient(
        "Nordlys Shipping AS",
        "NO",
        "Platinum",
        "11500.00 EUR",
        "quarterly",
        18,
        (("example.org/tidewire", False, 30), ("example.org/tidewire/mux", False, 12), ("lodestar", True, 4)),
    ),
    DemoClient(
        "Prairie Data Inc.",
        "US",
        "Gold",
        "9800.00 USD",
        "monthly",
        25,
        (("keelson", False, 18), ("harbor-lint", False, 9)),
    ),
    DemoClient(
        "Kestrel Robotics GmbH",
        "DE",
        "Silver",
        "4200.00 EUR",
        "monthly",
        75,
        (("example.org/tidewire", False, 24), ("keelson", True, 6), ("lodestar", False, 8)),
    ),
)

MAINTAINERS = (
    DemoMaintainer("Solveig Fjord", "solveig@fjord.example", "NO", "lead", "owner", "manual"),
    DemoMaintainer(
        "Mateo Ibarra",
        "mateo@fjord.example",
        "ES",
        "associate",
        "subcontractor",
        "sepa",
        "ES9121000418450200051332",
        (("example.org/tidewire", "lead", 8000), ("example.org/tidewire/mux", "co-maintainer", 2000)),
        guarantee="4800.00 EUR",
        growth_bp=800,
        baseline="20000.00 EUR",
        cap="900.00 EUR",
        other_names=(Person("mibarra", "mibarra@users.example"),),
    ),
    DemoMaintainer(
        "Priya Raman",
        "priya@fjord.example",
        "DE",
        "junior",
        "subcontractor",
        "sepa",
        "DE89370400440532013000",
        (("keelson", "lead", 6000), ("harbor-lint", "lead", 4000)),
        fund_shares={"keelson": 4500, "harbor-lint": 4000},
        fixed_fees={"harbor-lint": "650.00 EUR"},
    ),
    DemoMaintainer(
        "Anouk Lefèvre",
        "anouk@fjord.example",
        "FR",
        "junior",
        "subcontractor",
        "manual",
        None,
        (("lodestar", "lead", 5000),),
        guarantee="700.00 EUR",
        fund_shares={"lodestar": 3000},
        other_names=(Person("Anouk L.", "anouk.l@mail.example"),),
    ),
)

OTHERS = (Person("Wim de Groot", "wim@elsewhere.example"), Person("Hana Sato", "hana@elsewhere.example"))
"""Co-maintainers who are not the firm's: their work stays theirs."""
