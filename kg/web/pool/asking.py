"""Queries given to the pool, and what a client is told where they have no answer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from kg.web.pool.worker import Gone, Job, Reply
from kg.web.pool.workers import ENDING, Late, Left, Overloaded, Pool
from kg.web.refusal import RefusedError
from kg.web.settings import Settings

_ENDS: Final = {
    "": "The query was stopped with the process it ran in: try again.",
    "memory": "The query was stopped: it took more memory than a query may.",
    "depth": "The query was stopped: it is nested too deeply.",
    "time": "The query was stopped: it took too long.",
    ENDING: "The query was stopped: the server ends, or begins anew. Try again in a moment.",
    "room": "The query was stopped: too many large results are on their way to others. Try again in a moment.",
}
"""What is said of a worker that ended before it answered, by its reason."""


async def evaluated(
    pool: Pool, job: Job, seconds: float, settings: Settings, left: Callable[[], Awaitable[None]]
) -> Reply:
    """Return what the pool replies: a whole result, or what is wrong with the query (`syntax`, `failed`, `form`).

    Args:
        pool: The pool.
        job: The query and what is wanted of it.
        seconds: How long it may take.
        settings: The bounds, for what is said of them.
        left: Returns when the client has gone away.

    Raises:
        RefusedError: It has no answer now, or none that is small enough.
    """
    again = {"Retry-After": str(settings.retry)}
    try:
        reply = await pool.evaluate(job, seconds, left)
    except Overloaded:
        raise RefusedError(429, "Too many queries at once: try again in a moment.", again) from None
    except Late:
        raise RefusedError(503, f"The query was stopped after {seconds:g} seconds: narrow it down.") from None
    except Left:
        raise RefusedError(499, "The client left.") from None
    except Gone as error:
        raise RefusedError(
            503, _ENDS.get(str(error), _ENDS[""]), again if str(error) in ("", "room", ENDING) else {}
        ) from None
    if reply.status == "memory":
        raise RefusedError(503, _ENDS["memory"])
    if reply.status == "large":
        raise RefusedError(
            422, f"The result has more than {settings.rows:,} rows or {settings.size:,} bytes, and is not sent in "
            "part: add LIMIT, or page with ORDER BY, LIMIT and OFFSET.",
        )  # fmt: skip
    return reply


async def never() -> None:
    """Wait for a client of whom nobody can tell whether it has left."""
    await asyncio.get_running_loop().create_future()
