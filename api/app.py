"""Joining the parts: the only place that knows them all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from api import keys
from api.parts import Parts
from firm.db import db
from firm.engine import flask_config, prepare_engine
from firm.notices.post import Post
from firm.settings import Settings
from firm.webhooks.addresses import Reach
from firm.webhooks.sender import Sender
from payouts.rails.manual import ManualRail
from payouts.rails.provider import AccountProvider
from payouts.rails.rail import Rail
from payouts.rails.sepa.rail import SepaRail

if TYPE_CHECKING:
    from payouts.rails.stripe.client import Client


def standard_rails(stripe: Client | None = None) -> dict[str, Rail]:
    rails: dict[str, Rail] = {"manual": ManualRail(), "sepa": SepaRail()}
    if stripe is not None:
        from payouts.rails.stripe.rail import StripeRail

        rails["stripe"] = StripeRail(stripe)
    return rails


def standard_providers(stripe: Client | None = None) -> dict[str, AccountProvider]:
    if stripe is None:
        return {}
    from payouts.rails.stripe.accounts import StripeAccounts

    return {"stripe": StripeAccounts(stripe)}


def standard_stripe(settings: Settings) -> Client | None:
    """The way to Stripe, when there is a key to it."""
    if not settings.stripe_keys:
        return None
    from payouts.rails.stripe.client import Client  # imported here: a firm without Stripe starts without its library

    return Client(
        settings.stripe_keys,
        base=settings.stripe_api_base or None,
        live=settings.stripe_is_live,
        calls_a_second=settings.stripe_calls_a_second,
    )


def standard_sender(settings: Settings) -> Sender:
    return Sender(Reach(settings.ports, loopback=settings.webhooks_to_loopback))


def standard_post(settings: Settings) -> Post | None:
    """The mail server, when one is set and somebody to send as."""
    url = settings.smtp_url.get_secret_value()
    return Post(url, settings.mail_from) if url and settings.mail_from else None


def create_core(settings: Settings, *, rails: Mapping[str, Rail] | None = None, sender: Sender | None = None) -> Flask:
    """The application without its HTTP side: what commands and workers run in."""
    app = Flask("chambers", static_folder=None)
    app.config.update(flask_config(settings))
    db.init_app(app)
    stripe = standard_stripe(settings)
    app.extensions["chambers"] = Parts(
        settings,
        rails or standard_rails(stripe),
        keys.guarded(settings.keys, settings.lost_keys),
        sender or standard_sender(settings),
        standard_providers(stripe),
        stripe,
        standard_post(settings),
    )
    with app.app_context():
        prepare_engine(db.engine, synchronous=settings.sqlite_synchronous)
    return app


def create_app(settings: Settings, *, rails: Mapping[str, Rail] | None = None, sender: Sender | None = None) -> Flask:
    """The whole application. Refuses to start when a route has no line in the policy."""
    from api import http  # imported here: commands that serve nothing start without it

    app = create_core(settings, rails=rails, sender=sender)
    http.join(app)
    if settings.behind_proxy:
        # Exactly one proxy, which sets these headers anew: a caller's own are never seen here.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]
    return app
