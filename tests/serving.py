"""A server of one's own: started on a free port, stopped by its own process id."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]


@dataclass
class Running:
    process: subprocess.Popen[str]
    url: str
    port: int
    lines: list[str]

    def said(self) -> str:
        """Return what it wrote to standard error."""
        return "".join(self.lines)

    def client(self, **settings: object) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=60, trust_env=False, **settings)

    def children(self) -> list[int]:
        listed = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(child) for path in listed for child in path.read_text().split()]


@contextmanager
def running(build: Path, *words: str) -> Iterator[Running]:
    process = subprocess.Popen(
        [sys.executable, "-m", "kg", "serve", "--port", "0", "--build", str(build), *words],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    line = process.stderr.readline()
    found = re.search(r":(\d+) ", line)
    assert found, line + process.stderr.read()
    lines = [line]
    reading = threading.Thread(target=lines.extend, args=(process.stderr,), daemon=True)
    reading.start()
    port = int(found[1])
    try:
        yield Running(process, f"http://127.0.0.1:{port}", port, lines)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        finally:
            process.kill()
            reading.join(5)
