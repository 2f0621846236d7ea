"""Who may come in: principals, their tokens, and proofs of presence."""

from __future__ import annotations

import shlex
from datetime import timedelta

import click

from api import subjects
from api.commands.running import Call, admitted, command, json_option, show
from api.parts import parts
from firm.access import presence, principals, tokens
from firm.access.tokens import ALL_SCOPES, NotAuthenticated
from firm.actor import Role
from firm.db import reading
from firm.profile import operations as profiles

_ROLES = [str(role) for role in Role if role is not Role.SYSTEM]
_role = click.Choice(_ROLES)


@click.group()
def principal() -> None:
    """People and programs that may come in."""


@principal.command()
@click.option("--name", required=True, help="The audit log names them by it.")
@click.option("--role", type=_role, required=True)
@click.option("--kind", type=click.Choice(principals.KINDS), default="person", show_default=True)
@click.option("--subject", help="The id of the maintainer or client whose data they see.")
@click.option("--may-approve", is_flag=True, help="May approve payout runs besides what the role allows.")
@command
def add(call: Call, name: str, role: str, kind: str, subject: str | None, may_approve: bool) -> None:
    """Enroll somebody; give them a token with `chambers token issue`."""
    subjects.refuse_unknown(Role(role), subject)
    found = principals.enroll(
        name=name, role=Role(role), kind=kind, subject_id=subject, may_approve=may_approve, by=call.by, now=call.now
    )
    click.echo(f"{found.name} is enrolled as {found.role} ({found.id}).")
    click.echo(f"Give them a token: chambers token issue --name {shlex.quote(found.name)}")


@principal.command("list")
@json_option
@command
def list_principals(call: Call, as_json: bool) -> None:
    """List principals."""
    with reading() as session:
        found = principals.page(session)
    if as_json:
        show(found, "principals:PrincipalSchema", many=True)
        return
    for one in found:
        notes = [one.kind] + ["may approve"] * one.may_approve + ["shut out"] * (one.disabled_at is not None)
        click.echo(f"{one.id}  {one.name:<24} {one.role:<14} {', '.join(notes)}")


@principal.command()
@click.argument("name")
@click.option("--role", type=_role, help="A new role.")
@click.option("--subject", help="With a role of maintainer or client: whose data they see.")
@click.option("--may-approve/--may-not-approve", default=None, help="The permission to approve payout runs.")
@click.option("--disable/--enable", "disabled", default=None, help="Shut out, or let in again.")
@command
def change(
    call: Call, name: str, role: str | None, subject: str | None, may_approve: bool | None, disabled: bool | None
) -> None:
    """Change what somebody may do, from their next request on."""
    subjects.refuse_unknown(Role(role) if role else None, subject)
    found = principals.change(
        name,
        role=Role(role) if role else None,
        subject_id=subject,
        may_approve=may_approve,
        disabled=disabled,
        by=call.by,
        now=call.now,
    )
    click.echo(f"{found.name} is {found.role} now{', and shut out' if found.disabled_at else ''}.")


@principal.command()
@click.argument("name")
@command
def totp(call: Call, name: str) -> None:
    """Give somebody a new authenticator and print, this once, what an authenticator app takes."""
    with reading() as session:
        issuer = profiles.current(session).name
    found = presence.set_authenticator(name, issuer=issuer, keys=parts().keys, by=call.by, now=call.now)
    click.echo(found.uri)


@click.group()
def token() -> None:
    """Issue, list, rotate and revoke tokens."""


@token.command()
@click.option("--name", required=True, help="Whose it is; somebody new is enrolled when --role is given.")
@click.option("--role", type=_role, help="Enroll the principal with this role.")
@click.option("--subject", help="The id of the maintainer or client whose data it may see.")
@click.option("--label", default="", help="What it is for.")
@click.option("--scope", "scopes", multiple=True, help="read, write, or such as write:receipts; several times.")
@click.option("--days", type=click.IntRange(1, 366), default=90, show_default=True, help="How long it opens.")
@command
def issue(
    call: Call, name: str, role: str | None, subject: str | None, label: str, scopes: tuple[str, ...], days: int
) -> None:
    """Issue a token and print its secret, this once."""
    expires_at = call.now + timedelta(days=days)
    subjects.refuse_unknown(Role(role) if role else None, subject)
    subjects.refuse_nameless(scopes)
    if role is not None:
        found = tokens.issue_token(
            name=name,
            role=Role(role),
            subject_id=subject,
            scopes=scopes or ALL_SCOPES,
            expires_at=expires_at,
            by=call.by,
            now=call.now,
        )
    else:
        found = tokens.issue(
            name, label=label, scopes=scopes or ALL_SCOPES, expires_at=expires_at, by=call.by, now=call.now
        )
    click.echo(found.secret)


@token.command("list")
@click.argument("name", required=False)
@command
def list_tokens(call: Call, name: str | None) -> None:
    """List tokens, of everybody or of one principal; never their secrets."""
    with reading() as session:
        owner = principals.find(session, name).id if name else None
        found = tokens.page(session, principal_id=owner)
    for one, whose, used_at in found:
        ended = one.revoked_at or (one.expires_at if one.expires_at and one.expires_at <= call.now else None)
        state = f"ended {ended:%Y-%m-%d}" if ended else f"until {one.expires_at:%Y-%m-%d}" if one.expires_at else "live"
        used = f"used {used_at:%Y-%m-%d}" if used_at else "never used"
        click.echo(f"{one.id}  {whose.name:<24} {one.label:<20} {one.scopes:<24} {state:<18} {used}")


@token.command()
@click.argument("token_id")
@click.option("--overlap-minutes", type=click.IntRange(0, 1440), default=0, help="How long the old one still opens.")
@command
def rotate(call: Call, token_id: str, overlap_minutes: int) -> None:
    """Replace a token by a new one and print its secret, this once."""
    found = tokens.rotate(token_id, overlap=timedelta(minutes=overlap_minutes), by=call.by, now=call.now)
    click.echo(found.secret)


@token.command()
@click.argument("name")
@command
def revoke(call: Call, name: str) -> None:
    """Revoke a token by its id, or all tokens of a principal by its name, at once."""
    number = tokens.revoke_token(name, by=call.by, now=call.now)
    click.echo(
        f"{number} token{'' if number == 1 else 's'} of {name} open{'s' if number == 1 else ''} nothing any more."
    )


@click.command()
@click.argument("code")
@command
def prove(call: Call, code: str) -> None:
    """Prove your presence with the code of your authenticator; approve within five minutes."""
    admission = admitted(call.now)
    if admission is None:
        raise NotAuthenticated("Set CHAMBERS_TOKEN first: presence is proved for a token.")
    until = presence.prove(admission, code, keys=parts().keys, now=call.now)
    click.echo(f"Until {until:%H:%M:%S} UTC this token may approve.")
