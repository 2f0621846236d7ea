"""A few processes that send requests over loopback, bounded in number and time, and measure each answer.

Sync workers close every connection, so each request opens one; what that costs, ours and the floor pay alike.
"""

from __future__ import annotations

import multiprocessing
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.servers import Server

CONNECTIONS = 8
Request = Callable[[int, int], bytes]
"""The bytes of a caller's n-th request."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What came back: the seconds of each answer, and how many were none or of the wrong status."""

    seconds: list[float]
    wall: float
    cpu: float
    errors: int

    @property
    def rate(self) -> float:
        return len(self.seconds) / self.wall

    @property
    def cpu_ms(self) -> float:
        """The workers' CPU milliseconds for one request; those of a database server are not in it."""
        return self.cpu / max(1, len(self.seconds)) * 1000

    def percentile(self, percent: int) -> float:
        """In milliseconds."""
        ordered = sorted(self.seconds) or [0.0]
        return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] * 1000


def bombard(server: Server, request: Request, *, seconds: float, most: int = 20_000) -> Answers:
    """Eight callers, each sending its next request when the last is answered."""
    fork = multiprocessing.get_context("fork")
    queue = fork.SimpleQueue()
    cpu, begun = server.cpu_seconds(), time.perf_counter()
    callers = [
        fork.Process(target=_call, args=(queue, server.address, request, number, seconds, most // CONNECTIONS))
        for number in range(CONNECTIONS)
    ]
    for caller in callers:
        caller.start()
    found = [queue.get() for _ in callers]
    wall, used = time.perf_counter() - begun, server.cpu_seconds() - cpu
    for caller in callers:
        caller.join()
    return Answers([each for took, _ in found for each in took], wall, used, sum(errors for _, errors in found))


def _call(
    queue: multiprocessing.SimpleQueue[tuple[list[float], int]],
    address: tuple[str, int],
    request: Request,
    caller: int,
    seconds: float,
    most: int,
) -> None:
    took: list[float] = []
    errors = 0
    end = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < end and len(took) < most:
        errors += not _succeeds(address, request(caller, len(took)))
        took.append(time.perf_counter() - begun)
    queue.put((took, errors))


def _succeeds(address: tuple[str, int], request: bytes) -> bool:
    try:
        with socket.create_connection(address, timeout=15) as connection:
            connection.sendall(request)
            answer = b""
            while received := connection.recv(65536):
                answer += received
    except OSError:
        return False
    return answer.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 201 "))
