"""The system calls that a unit allows, laid on a program of a test as systemd would lay them on it (seccomp)."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import shlex
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

NUMBERS = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
"""The kernel's numbers of its calls, from the headers that come with a C compiler."""

_LOAD_NUMBER, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2


def refused_by(unit: Path) -> list[str]:
    """The calls that a unit's filter takes away, in the order in which systemd reads its lines."""
    allowed: set[str] = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE):
        named = {call for word in shlex.split(line.removeprefix("~")) for call in _calls(word)}
        allowed = allowed - named if line.startswith("~") else allowed | named
    return sorted(set(_numbers()) - allowed)


def command(refused: Sequence[str], program: Sequence[str]) -> list[str]:
    """A command that runs the program with these calls answered EPERM."""
    return [sys.executable, "-m", "tests.running.confined", ",".join(refused), *program]


def _calls(word: str) -> set[str]:
    if not word.startswith("@"):
        return {word}
    shown = subprocess.run(["systemd-analyze", "syscall-filter", word], capture_output=True, text=True, check=True)
    lines = [line.strip() for line in shown.stdout.splitlines() if line.startswith("    ")]
    return {call for line in lines if line and line[0] not in "#@" for call in [line]} | {
        call for line in lines if line.startswith("@") for call in _calls(line)
    }


def _numbers() -> dict[str, int]:
    text = NUMBERS.read_text(encoding="utf-8")
    return {name: int(number) for name, number in re.findall(r"^#define __NR_(\w+) (\d+)$", text, re.MULTILINE)}


def _confine(refused: Sequence[str]) -> None:
    numbers = _numbers()
    steps = [(_LOAD_NUMBER, 0, 0, 0)]
    for call in refused:
        steps += [(_IF_EQUAL, 0, 1, numbers[call]), (_RETURN, 0, 0, _REFUSE | errno.EPERM)]
    steps.append((_RETURN, 0, 0, _ALLOW))
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))

    program = Program(len(steps), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((_NO_NEW_PRIVILEGES, 1, 0, 0, 0), (_SECCOMP, _FILTER, ctypes.byref(program), 0, 0)):
        if libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "the filter was not taken")


if __name__ == "__main__":
    _confine(sys.argv[1].split(","))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 (a shell would be confined too)
