"""`python -m tests.stripe --port 8431`: a Stripe for a person, or for a product that runs beside it.

Point the product at it with STRIPE_API_BASE and STRIPE_API_KEY. What only Stripe or a bank could do is done through
paths under `/_/`, each a POST with a JSON body:

    /_/top-up      {"amount": 100000, "currency": "usd"}
    /_/capability  {"account": "acct_…", "transfers": "active", "payouts": "active"}
    /_/pay-out     {"account": "acct_…", "currency": "usd"}
    /_/move        {"payout": "po_…", "status": "paid"}
    /_/advance     {"hours": 25}
    /_/fault       {"operation": "POST /v1/transfers", "fault": "DROP_AFTER", "times": 1}
    /_/reset       {}

GET `/_/log` lists the calls, and GET `/_/judgment` what the oracle finds wrong.
"""

from __future__ import annotations

import argparse
import threading
import time

from tests.stripe.control import switch_on
from tests.stripe.server import Server, serving


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.stripe", description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8431)
    parser.add_argument("--webhooks", metavar="URL", help="the product's address; events are pushed there")
    options = parser.parse_args()
    with serving(options.port) as server:
        switch_on()
        print(f"STRIPE_API_BASE={server.url}")
        print(f"STRIPE_API_KEY={server.api_key}")
        print(f"STRIPE_WEBHOOK_SECRETS={','.join(server.secrets.platform)}")
        print(f"STRIPE_CONNECT_WEBHOOK_SECRETS={','.join(server.secrets.connect)}", flush=True)
        _run(server, options.webhooks)


def _run(server: Server, webhooks: str | None) -> None:
    try:
        while webhooks:
            time.sleep(0.2)
            _push(server, webhooks)
        threading.Event().wait()
    except KeyboardInterrupt:
        print("Goodbye.")


def _push(server: Server, to: str) -> None:
    for delivery in server.webhooks.fresh():
        try:
            print(f"{delivery.event['type']} -> {delivery.path}: {delivery.push(to)}", flush=True)
        except OSError as failure:
            print(f"{delivery.event['type']} -> {delivery.path}: {failure}", flush=True)


if __name__ == "__main__":
    main()
