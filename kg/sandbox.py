"""Processes that evaluate what strangers ask: how one is started, and the bounds that it puts upon itself.

An engine inside a process cannot be interrupted, may die of a query, and follows SERVICE to any address. In a process
of its own it can be killed, may die, and has neither network nor memory to spare.
"""

import contextlib
import ctypes
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

from kg import resources

LEAST_MEMORY: Final = 300_000_000
"""Bytes of address space in which a release always opens; the engine's libraries and threads map 200 million."""

_DIE_WITH_PARENT: Final = 1
_GET_FILTER: Final = 21
_SET_FILTER: Final = 22
_NO_NEW_PRIVILEGES: Final = 38
_CALLS: Final = {
    # socket, execve, execveat, io_uring_setup
    "x86_64": (0xC000003E, (41, 59, 322, 425)),
    "aarch64": (0xC00000B7, (198, 221, 281, 425)),
}
"""The kernel's numbers for an architecture, and for its calls that a confined process must not make."""
_OTHER_CALLS: Final = 0x40000000
"""Where x86-64 keeps a second numbering of the same calls."""


def command(module: str, *words: str) -> list[str]:
    """Return the command that runs a module of this package in a process of its own."""
    # -P keeps whatever lies in the working folder from being imported.
    return [sys.executable, "-P", "-m", module, *words]


def environment() -> dict[str, str]:
    """Return all of the environment that such a process has."""
    path = [str(resources.PACKAGE.parent), os.environ.get("PYTHONPATH", "")]
    # Each further arena maps 64 MB of address space that are never used: a store opens in 0.2 GB instead of 1.2.
    return {"PYTHONPATH": os.pathsep.join(filter(None, path)), "MALLOC_ARENA_MAX": "1", "PYTHONDONTWRITEBYTECODE": "1"}


@cache
def bars_sockets() -> bool:
    """Whether `confine` can refuse sockets here: on Linux, where the kernel has seccomp."""
    if sys.platform != "linux" or platform.machine() not in _CALLS:
        return False
    return bool(ctypes.CDLL(None).prctl(_GET_FILTER, 0, 0, 0, 0) >= 0)


def end_with_parent() -> None:
    """End this process when the one that began it ends, however it ends: on Linux, where the kernel sees to it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)


def confine(memory: int) -> None:
    """Bound this process for good: its memory, no core file, and where the kernel can, no socket and no new program.

    Args:
        memory: The most bytes of address space it may map.

    Raises:
        OSError: The kernel has filters of calls and takes none.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # macOS knows the limit and does not let one set it; deadlines hold there.
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    if not bars_sockets():
        return
    libc = ctypes.CDLL(None, use_errno=True)
    steps = _filter(*_CALLS[platform.machine()])
    held = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(held)))
    end_with_parent()
    for what in (
        (_NO_NEW_PRIVILEGES, 1, 0, 0, 0),
        (_SET_FILTER, 2, ctypes.byref(program), 0, 0),
    ):
        if libc.prctl(*what):
            raise OSError(ctypes.get_errno(), "the kernel does not confine this process")


@contextmanager
def one_core() -> Iterator[None]:
    """Show one core only: the engine opens a store with a thread for each that it sees, 8 MB of address space each."""
    if sys.platform != "linux":
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def _filter(architecture: int, calls: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    """Return a Berkeley packet filter: code, steps to leap if true, and if false, operand.

    It refuses, with EACCES, another architecture's calls, the second numbering, and each call named.
    """
    count = len(calls)
    return [
        (0x20, 0, 0, 4),  # load the architecture
        (0x15, 0, count + 3, architecture),
        (0x20, 0, 0, 0),  # load the call's number
        (0x35, count + 1, 0, _OTHER_CALLS),
        *((0x15, count - place, 0, call) for place, call in enumerate(calls)),
        (0x06, 0, 0, 0x7FFF0000),  # allow
        (0x06, 0, 0, 0x00050000 | 13),  # refuse
    ]
