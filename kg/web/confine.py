"""Bounds that a worker process puts upon itself before it opens anything: memory, files, no network, no new program."""

import ctypes
import platform
import resource
import struct
import sys
from typing import Final

_NO_NEW_PRIVILEGES: Final = 38
_SECCOMP: Final = 22
_FILTER: Final = 2
_DIE_WITH_PARENT: Final = 1
_KILL: Final = 9
_ALLOW: Final = 0x7FFF0000
_REFUSE: Final = 0x00050000 | 13
_CALLS: Final = {
    # socket, execve, execveat, io_uring_setup
    "x86_64": (0xC000003E, (41, 59, 322, 425)),
    "aarch64": (0xC00000B7, (198, 221, 281, 425)),
}
_OTHER_CALLS: Final = 0x40000000
"""Where x86-64 keeps a second numbering of the same calls."""


def confine(address_space: int) -> bool:
    """Bound this process for good.

    Args:
        address_space: The most bytes it may map.

    Returns:
        Whether the kernel now refuses it sockets. Where the kernel cannot, SERVICE is still refused by the text.
    """
    resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not sys.platform.startswith("linux") or platform.machine() not in _CALLS:
        return False
    architecture, calls = _CALLS[platform.machine()]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_DIE_WITH_PARENT, _KILL, 0, 0, 0)
    program = _program(architecture, calls)
    held = ctypes.create_string_buffer(program)
    block = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, ctypes.addressof(held)))
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return False
    return not libc.prctl(_SECCOMP, _FILTER, ctypes.byref(block), 0, 0)


def _program(architecture: int, calls: tuple[int, ...]) -> bytes:
    """Return the filter: refuse another architecture's calls, the second numbering, and each call named."""
    count = len(calls)
    steps = [
        (0x20, 0, 0, 4),  # load the architecture
        (0x15, 0, count + 2, architecture),
        (0x20, 0, 0, 0),  # load the call's number
        (0x35, count, 0, _OTHER_CALLS),
        *((0x15, count - 1 - place, 0, call) for place, call in enumerate(calls)),
        (0x06, 0, 0, _ALLOW),
        (0x06, 0, 0, _REFUSE),
    ]
    # A jump to the last step, counted from the step after the jump.
    last = len(steps) - 1
    fixed = []
    for place, (code, yes, no, value) in enumerate(steps):
        if code == 0x15 and place == 1:
            no = last - place - 1
        elif code in (0x35, 0x15):
            yes = last - place - 1
        fixed.append(struct.pack("=HBBI", code, yes, no, value))
    return b"".join(fixed)
