"""What scopes call the things that routes are about."""

from __future__ import annotations


def resource_of(endpoint: str) -> str:
    """The resource of a route: "payout-runs" of `payout_runs.approved`."""
    return endpoint.partition(".")[0].replace("_", "-")
