"""The worker, and what it is asked to do."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import current_app

from api import operations
from api.commands.running import Call, command, json_option, show
from api.jobs import KINDS
from api.worker import Worker
from firm.db import reading
from firm.jobs import operations as jobs
from firm.jobs import queries


@click.command()
@click.option("--once", is_flag=True, help="Stop when nothing is due.")
@click.option("--jobs", "only", multiple=True, type=click.Choice(sorted(KINDS)), help="Only jobs of this kind.")
@command
def worker(call: Call, once: bool, only: tuple[str, ...]) -> None:
    """Do jobs until SIGTERM or Ctrl-C; the one in hand is finished first."""
    kinds = {name: kind for name, kind in KINDS.items() if not only or name in only}
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    with _stopped_by_signals() as stop:
        done = Worker(app, kinds, stop=stop).run(once=once)
    click.echo(f"{done} jobs taken.", err=True)


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handling in before.items():
            signal.signal(number, handling)


@click.group()
def operation() -> None:
    """Long work: what is under way, and what became of it."""


@operation.command("list")
@json_option
@command
def list_operations(call: Call, as_json: bool) -> None:
    """List operations of the last thirty days."""
    with reading() as session:
        found = queries.page(session, kinds=operations.ENDPOINTS)
    if as_json:
        show([operations.shape(job) for job in found], "operations:OperationSchema", many=True)
        return
    if not found:
        click.echo("There was no long work in the last thirty days.")
    for job in found:
        click.echo(f"{job.id}  {job.kind:<22} {job.state:<8} {job.done}/{job.total or '?'}  {job.created_by}")


@operation.command("show")
@click.argument("operation_id")
@json_option
@command
def show_operation(call: Call, operation_id: str, as_json: bool) -> None:
    """Show an operation: how far it is, and what became of it."""
    with reading() as session:
        job = operations.find(session, operation_id)
    if as_json:
        show(operations.shape(job), "operations:OperationSchema")
        return
    click.echo(f"{job.kind} is {job.state}, {job.done} of {job.total or '?'} steps; asked for by {job.created_by}.")
    if job.last_error:
        click.echo(job.last_error)


@operation.command("parked")
@command
def list_parked(call: Call) -> None:
    """List the jobs of every kind that kept failing and wait for a person."""
    with reading() as session:
        for job in queries.parked(session):
            click.echo(f"{job.id}  {job.kind:<22} {job.attempts} tries  {job.last_error}")


@operation.command("retry")
@click.argument("job_id")
@command
def retry(call: Call, job_id: str) -> None:
    """Set a parked job going again, with all its tries."""
    jobs.set_going(job_id, by=call.by, now=call.now)
    click.echo(f"{job_id} is queued again.")
