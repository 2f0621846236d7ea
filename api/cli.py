"""The command line: `chambers`. Commands are imported when they are called, so that it starts at once."""

from __future__ import annotations

import importlib
from typing import Any

import click

COMMANDS = {
    "init": ("setup:init", "Set up the firm and its books, and make the first lead's token."),
    "migrate": ("setup:migrate", "Bring the database to the schema of this version."),
    "worker": ("worker:worker", "Do the jobs in the background: long work, webhooks, the audit chain."),
    "operation": ("worker:operation", "Long work: what is under way, and what became of it."),
    "serve": ("setup:serve", "Serve the API on this machine."),
    "secret-key": ("setup:secret_key", "Print a new key for bank details, and rotate to it."),
    "principal": ("access:principal", "People and programs that may come in."),
    "token": ("access:token", "Issue, list, rotate and revoke tokens."),
    "prove": ("access:prove", "Prove your presence with a code, before an approval."),
    "firm": ("firm:firm", "The firm: its letterhead, bank account and switches."),
    "client": ("clients:client", "Clients and their contacts."),
    "tier": ("clients:tier", "Tiers."),
    "engagement": ("clients:engagement", "Engagements: draft, sign, end."),
    "package": ("portfolio:package", "The portfolio."),
    "plan": ("portfolio:plan", "The allocation plan."),
    "rate": ("portfolio:rate", "Exchange rates."),
    "maintainer": ("provider_accounts:maintainer", "Maintainers, their aliases, destinations and accounts."),
    "destination": ("destinations:destination", "Where pay goes: confirm, reject, withdraw."),
    "notice": ("notices:notice", "Letters that a change made necessary: list, give by hand."),
    "assignment": ("assignments:assignment", "Who works on what."),
    "terms": ("terms:terms", "Pay terms: set, correct, list."),
    "onramp": ("onramps:onramp", "The way to an own firm: stages, letters, readiness."),
    "invoice": ("billing:invoice", "Invoices."),
    "receipt": ("billing:receipt", "Money that arrived."),
    "month": ("months:month", "Preview and close a month."),
    "books": ("months:books", "The journal and the trial balance."),
    "run": ("runs:run", "Payout runs: draft, propose, approve, send, settle."),
    "import": ("work:import_", "Import lists from CSV, the bank's files, and public work."),
    "bank-file": ("bank:bank_file", "What the bank sent: files, lines, and what waits for a person."),
    "statement": ("papers:statement", "A statement as JSON, or as a paper with --out (.pdf or .html)."),
    "reissue": ("papers:reissue", "Issue a statement again, corrected."),
    "adjustment": ("adjustments:adjustment", "Corrections, advances, withholding and fees."),
    "remittance": ("remittance:remittance", "Remittance advices: what one payout paid for."),
    "self-billing": ("self_billing:self_billing", "Self-billing agreements, and the invoices under them."),
    "tax-form": ("tax_forms:tax_form", "Tax forms on file: record, list, withdraw."),
    "report": ("papers:report", "Funded-work reports."),
    "audit": ("audit:audit", "The audit log, its chain and its anchors."),
    "export": ("archives:export", "Everything as one documented archive."),
    "move": ("archives:move", "Copy everything into another database."),
    "backup": ("backups:backup", "Back the whole database up, encrypted."),
    "backup-key": ("backups:backup_key", "Make the key pair of backups."),
    "restore": ("backups:restore", "Restore a backup into an empty database."),
    "reconcile": ("differences:reconcile", "Compare the books with every rail; after a restore, send again."),
    "difference": ("differences:difference", "Where books and rails differ: list, assign, resolve."),
    "verify": ("checks:verify", "Check every invariant."),
    "sandbox-smoke": ("smoke:sandbox_smoke", "Walk through a sandbox of Stripe's with a test key."),
    "openapi": ("checks:openapi", "Print the OpenAPI document, or check the one in docs/."),
    "demo": ("demonstration:demo", "Run a made-up firm through a year and close its last month."),
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and one-line helps, and imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(f"api.commands.{module}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup)
@click.version_option(package_name="chambers", prog_name="chambers")
def main(**_options: Any) -> None:
    """The operations of a firm of professional open-source maintainers.

    Settings come from the environment: CHAMBERS_DATABASE_URL says where the books are (SQLite in var/ by
    default), CHAMBERS_TOKEN who you are. Without a token you act as the lead at this shell.
    """
