"""The funding gate: when a package may be staffed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Funding:
    """What is known of a package when somebody is to be assigned to it."""

    package: str
    has_money: bool
    has_interest: bool
    allows_subcontractors: bool


def obstacles(funding: Funding, *, subcontractor: bool) -> list[str]:
    """Why the package may not be staffed, as sentences; none when it may."""
    found = []
    if not funding.has_money:
        found.append(f"{funding.package} has no money: neither weight in the plan nor anything in its fund.")
    if not funding.has_interest:
        found.append(f"No client with a signed engagement named an interest in {funding.package}.")
    elif subcontractor and not funding.allows_subcontractors:
        found.append(f"No agreement of the clients interested in {funding.package} allows subcontracting.")
    return found
