"""The site asked by one process or several; each opens the release for itself."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from signal import SIG_IGN, SIGINT, signal

from kg import vega
from kg.errors import OutputError
from kg.sandbox import end_with_parent
from kg.store import open_release
from kg.web.opened import Opened
from kg.web.publish.crawl import Reply, Site
from kg.web.publish.pages import Dumps, addresses
from kg.web.site import routes

_TOGETHER = 8
"""Addresses that a process is given at once."""
_sites: list[Site] = []
"""The site that this process asks, once it has begun."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is published.

    Attributes:
        release: The release's folder.
        tracker: Where readers propose corrections.
        dumps: The files of the whole graph.
        base: The address that the site is to be found at.
    """

    release: Path
    tracker: str
    dumps: Dumps
    base: str

    def site(self) -> Site:
        """Return the site."""
        opened = Opened(open_release(self.release), self.tracker, draw=lambda spec, form: vega.FORMS[form](spec))
        return Site(routes(opened, addresses(self.dumps)), self.base)


@contextmanager
def asking(order: Order, jobs: int) -> Iterator[Callable[[Sequence[str]], Iterable[Reply]]]:
    """Yield what returns the site's replies to addresses, in their order.

    Args:
        order: The site.
        jobs: How many processes ask it.

    Raises:
        OutputError: One of them died.
    """
    if jobs == 1:
        site = order.site()
        yield lambda addresses: map(site.ask, addresses)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (order,)) as pool:
        try:
            yield lambda addresses: pool.map(_ask, addresses, chunksize=_TOGETHER)
        except BrokenProcessPool:
            raise OutputError("a process died; was it killed, or memory short? --jobs 1 needs the least") from None
        finally:
            pool.shutdown(cancel_futures=True)


def _begin(order: Order) -> None:
    # Who stops the work stops it in the first process, and with it the others.
    signal(SIGINT, SIG_IGN)
    end_with_parent()
    _sites.append(order.site())


def _ask(address: str) -> Reply:
    return _sites[0].ask(address)
