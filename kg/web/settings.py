"""How a release is served."""

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting and bound of the server, in one place.

    Attributes:
        deadline: Seconds that a query may take where the request does not say.
        longest: The most seconds that a request may ask for.
        light: Workers for light queries.
        width: Queries that may start at once, as many as there are cores; each makes room for the next once it is done,
            or is looked at.
        heavy: Workers that long queries may hold at once.
        waiting: Long queries that may wait for one of these; more are told to come back.
        admitted: Queries running and waiting at once, light ones included.
        patience: Seconds that a query may wait for a worker.
        retry: Seconds after which a client that is told to come back should do so; where its query had begun it is told
            after as many.
        rows: The most rows of a result.
        size: The most bytes of a result, before compression.
        query: The most characters of a query.
        body: The most bytes of a request's body.
        address_space: The most bytes that a worker may map.
        memory: The most bytes that all workers may hold in memory together.
        room: The most bytes of results that the server may hold for all its clients together.
        stalled: Seconds within which a client must take the next part of a result.
        slow: Seconds within which headers, and after them the body, must have come.
        hosts: Names under which the server answers; any where empty.
        tracker: Where readers propose corrections, an address in which `{id}` stands for the thing's id; or nothing.
        base: The address of the start page as readers reach it, where a proxy stands before the server; or nothing.
    """

    deadline: float = 10.0
    longest: float = 30.0
    light: int = 24
    width: int = max(2, os.cpu_count() or 2)
    heavy: int = 2
    waiting: int = 6
    admitted: int = 64
    patience: float = 10.0
    retry: int = 2
    rows: int = 100_000
    size: int = 32 * 2**20
    query: int = 65_536
    body: int = 262_144
    address_space: int = 2**30
    memory: int = 1_400 * 2**20
    room: int = 256 * 2**20
    stalled: float = 30.0
    slow: float = 10.0
    hosts: tuple[str, ...] = ()
    tracker: str = ""
    base: str = ""

    @property
    def limits(self) -> str:
        """The bounds that a client must know, as one header's value."""
        return f"seconds={self.deadline:g}, longest={self.longest:g}, rows={self.rows}, bytes={self.size}"
