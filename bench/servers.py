"""A real server for measurements and tests: gunicorn on a loopback port, in a process group of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[1]
OURS = ("--config", "python:api.serving")


class NotStarted(RuntimeError):
    """The server ended, or said nothing for too long; its log is in the message."""


@dataclass(frozen=True)
class Server:
    """A running server: its address, its process and what it wrote."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    def workers(self) -> list[int]:
        """The process ids of those who answer."""
        return sorted(child.pid for child in psutil.Process(self.process.pid).children())

    def cpu_seconds(self) -> float:
        """What the workers have used of the processors so far."""
        return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in self.workers())

    def stop(self) -> float:
        """SIGTERM, and how many seconds it took until the last process was gone."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=35)
        return time.monotonic() - begun


@contextmanager
def gunicorn(
    folder: Path, *, environment: Mapping[str, str], options: Sequence[str] = OURS, workers: int = 2
) -> Iterator[Server]:
    """A gunicorn that answers, stopped at the end. Raises `NotStarted` with what it wrote."""
    port = free_port()
    log = folder / f"gunicorn-{port}.log"
    command = [sys.executable, "-m", "gunicorn", *options, "--bind", f"127.0.0.1:{port}", "--workers", str(workers)]
    with running(command, log=log, environment=environment) as process:
        _wait_until_it_listens(("127.0.0.1", port), process, log)
        server = Server(port, process, log)
        _wait_for_workers(server, workers)
        yield server


@contextmanager
def running(
    command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose output goes to a file, ended with everything it started."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            _end(process)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_until(happens: Callable[[], bool], *, seconds: int, what: Callable[[], str]) -> None:
    """Ask again and again until it is so. Raises `NotStarted`."""
    deadline = time.monotonic() + seconds
    while not happens():
        if time.monotonic() > deadline:
            raise NotStarted(what())
        time.sleep(0.05)


def _wait_until_it_listens(address: tuple[str, int], process: subprocess.Popen[bytes], log: Path) -> None:
    def listens() -> bool:
        if process.poll() is not None:
            raise NotStarted(log.read_text(encoding="utf-8"))
        try:
            socket.create_connection(address, timeout=1).close()
        except OSError:
            return False
        return True

    wait_until(listens, seconds=30, what=lambda: log.read_text(encoding="utf-8"))


def _wait_for_workers(server: Server, workers: int) -> None:
    """A worker is there before it has read the application; until then requests wait in the queue."""

    def ready() -> bool:
        return len(server.workers()) >= workers and server.log.read_bytes().count(b"worker ready") >= workers

    wait_until(ready, seconds=30, what=lambda: server.log.read_text(encoding="utf-8"))


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
