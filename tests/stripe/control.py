"""What only Stripe or a bank could do, for those who cannot call Python: paths under `/_/`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.stripe import accounts, balances, faults, oracle, payouts

if TYPE_CHECKING:
    from tests.stripe.server import Server

Control = Callable[["Server", dict[str, Any]], Any]

_controls: dict[str, Control] = {}


def switch_on() -> None:
    """Answer the paths. They are off where tests run in the server's process, which have better ways."""
    _controls.update(
        {
            "top-up": lambda server, asked: balances.top_up(server.state, **asked),
            "capability": lambda server, asked: accounts.set_capability(server.state, asked.pop("account"), **asked),
            "pay-out": lambda server, asked: payouts.pay_out(server.state, **asked),
            "move": lambda server, asked: payouts.move(server.state, asked["payout"], asked["status"]),
            "advance": lambda server, asked: server.clock.advance(**asked),
            "fault": _plan,
            "reset": lambda server, asked: bool(server.reset()),
            "log": lambda server, asked: [_line(each) for each in server.log],
            "judgment": lambda server, asked: oracle.judge(server.world),
        }
    )


def asked_for(path: str) -> Control | None:
    """The control behind a path."""
    return _controls.get(path.removeprefix("/_/")) if path.startswith("/_/") else None


def _plan(server: Server, asked: dict[str, Any]) -> None:
    server.faults.plan(
        asked["operation"], getattr(faults, asked["fault"]), skip=asked.get("skip", 0), times=asked.get("times", 1)
    )


def _line(call: Any) -> dict[str, Any]:
    return {
        "operation": call.request.operation,
        "path": call.request.path,
        "key": call.request.key,
        "account": call.request.account,
        "parameters": call.request.parameters,
        "status": call.status,
        "effect": call.effect,
        "replayed": call.replayed,
        "fault": call.fault,
        "at": call.at,
    }
