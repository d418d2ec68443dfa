"""How often a register is asked: one request a second to a host, and longer and longer pauses after failures."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

_FIRST: Final = 1.0
_LONGEST: Final = 60.0


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True)
class Pace:
    """The pace of one run; one for all registers of a run, so that hosts they share are spared too.

    Attributes:
        interval: Seconds at least between two requests to one host.
        attempts: How often one address is asked before it is given up.
        patience: Seconds for which one address may go on failing before it is given up.
        slowest: Bytes a second below which a transfer counts as stalled.
        window: Seconds over which that is measured.
        clock: Seconds that only grow.
        sleep: Waits so many seconds.
        now: The day and time.
        chance: A number from 0 to 1; spreads pauses, so that many clients do not come back at once.
    """

    interval: float = 1.0
    attempts: int = 6
    patience: float = 1_800.0
    slowest: float = 500.0
    window: float = 60.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = _now
    chance: Callable[[], float] = random.random
    _asked: dict[str, float] = field(default_factory=dict)

    def take_turn(self, host: str) -> None:
        """Wait until a host may be asked again, and note that it is asked now."""
        last = self._asked.get(host)
        if last is not None and (early := last + self.interval - self.clock()) > 0:
            self.sleep(early)
        self._asked[host] = self.clock()

    def pause(self, failures: int, retry_after: str = "") -> float:
        """Return how many seconds to wait after so many failures.

        Args:
            failures: At least one.
            retry_after: The header by which a server says how long; seconds, or a date; anything else is ignored.
        """
        own = min(_LONGEST, _FIRST * 2.0 ** (failures - 1)) * (0.5 + self.chance())
        return max(own, self._asked_for(retry_after.strip()))

    def _asked_for(self, text: str) -> float:
        if text.isascii() and text.isdigit() and len(text) < 10:
            return float(text)
        try:
            until = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return 0.0
        # A date without a zone is in UTC, says RFC 9110.
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        return max(0.0, (until - self.now()).total_seconds())
