"""The HTTP side of the application: converters, errors, authentication, resources, the API's description."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from flask import Flask
from werkzeug.routing import BaseConverter

from api import auth, creations, errors, idempotency, observation, policy, preconditions, unread_bodies, uploads
from api.blueprints import ChambersApi, describe_fields, refuse_unread
from api.description.document import finished
from api.places import UnreadableParameter
from api.strict import MOST_BYTES
from api.v1 import (
    adjustments,
    advances,
    allocation_plans,
    assignments,
    audit_records,
    bank_files,
    clients,
    destinations,
    docs,
    engagements,
    exchange_rates,
    firm,
    funded_work_reports,
    health,
    imports,
    invoices,
    journal,
    ledger_exports,
    maintainers,
    metrics,
    months,
    notices,
    on_ramps,
    operations,
    packages,
    pay_terms,
    payment_proofs,
    payout_policies,
    payout_runs,
    payouts,
    principals,
    provider_accounts,
    receipts,
    reconciliation_differences,
    remittance_advices,
    self_billed_invoices,
    self_billing_agreements,
    statements,
    step_ups,
    tax_forms,
    tiers,
    tokens,
    webhook_deliveries,
    webhook_endpoints,
    work_items,
)
from api.webhooks import stripe as stripe_webhooks
from firm.month import InvalidMonth, Month

RESOURCES = (
    firm,
    principals,
    tokens,
    step_ups,
    clients,
    tiers,
    engagements,
    packages,
    maintainers,
    provider_accounts,
    destinations,
    on_ramps,
    assignments,
    pay_terms,
    allocation_plans,
    exchange_rates,
    invoices,
    receipts,
    months,
    journal,
    ledger_exports,
    payout_policies,
    payout_runs,
    payouts,
    reconciliation_differences,
    payment_proofs,
    bank_files,
    adjustments,
    advances,
    statements,
    remittance_advices,
    tax_forms,
    self_billing_agreements,
    self_billed_invoices,
    funded_work_reports,
    work_items,
    imports,
    operations,
    webhook_endpoints,
    webhook_deliveries,
    notices,
    audit_records,
)

DESCRIPTION = (
    "The operations of a firm of professional open-source maintainers: retainers, revenue, allocation, earnings, "
    'payouts and papers. Money is {"amount": "10000.00", "currency": "USD"}; months are "2026-10"; errors are '
    "problem documents (RFC 9457) whose `detail` says what to do."
)


class MonthConverter(BaseConverter):
    """A month in a path: "2026-10"."""

    def to_python(self, value: str) -> Month:
        try:
            return Month.parse(value)
        except InvalidMonth as error:
            raise UnreadableParameter("month", error.message) from error

    def to_url(self, value: Month | str) -> str:
        return str(value)


def join(app: Flask) -> None:
    """Give the application its HTTP side. Raises `InvariantBroken` for a route without policy."""
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES + 1
    app.url_map.converters["month"] = MonthConverter
    observation.register(app)
    errors.register(app)
    auth.register(app)
    app.before_request(refuse_unread)
    uploads.register(app)
    unread_bodies.register(app)
    preconditions.register_requirement(app)
    idempotency.register(app)
    preconditions.register(app)
    creations.register(app)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(metrics.blueprint)
    app.register_blueprint(docs.blueprint)
    app.register_blueprint(stripe_webhooks.blueprint)
    api = _description(app)
    for resource in RESOURCES:
        api.register_blueprint(resource.blueprint, url_prefix="/v1")
    app.extensions["openapi"] = _once(lambda: finished(api.document(), app))
    policy.refuse_gaps(app)


def _once(make: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """The document is made when it is first asked for, by one of those who ask at the same time."""
    lock, made = threading.Lock(), functools.cache(make)

    def found() -> dict[str, Any]:
        with lock:
            return made()

    return found


def _description(app: Flask) -> ChambersApi:
    app.config.update(API_TITLE="Chambers", API_VERSION="1", OPENAPI_VERSION="3.1.0")
    api = ChambersApi(spec_kwargs={"info": {"description": DESCRIPTION}})
    api.init_app(app)
    api.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    api.spec.options["security"] = [{"bearer": []}]
    api.register_converter(MonthConverter, lambda converter: {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"})
    describe_fields(api)
    return api
