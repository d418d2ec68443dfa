"""Values that are kept for whoever asks for the same next, as long as there is room for them."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Shelf(Generic[_T]):
    """The values used last, together no larger than agreed. Threads may share it.

    Args:
        most: How many bytes all of them may take.
    """

    def __init__(self, most: int) -> None:
        self._most = self._free = most
        self._values: OrderedDict[Hashable, tuple[_T, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> _T | None:
        """Return the value of a key, or None where it is not kept, or no longer."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key][0]

    def put(self, key: Hashable, value: _T, size: int) -> None:
        """Keep a value that takes so many bytes, about, if it can be; those not used for longest make room for it."""
        with self._lock:
            if key in self._values or size > self._most:
                return
            self._values[key] = value, size
            self._free -= size
            while self._free < 0:
                _, (_, freed) = self._values.popitem(last=False)
                self._free += freed


class Kept(Generic[_T]):
    """What a function returned, the values used last. Threads may share it.

    Args:
        make: The function; it never returns None.
        size: How many bytes a value takes, about.
        most: How many bytes all of them may take.
    """

    def __init__(self, make: Callable[..., _T], size: Callable[[_T], int], most: int) -> None:
        self._make = make
        self._size = size
        self._shelf: Shelf[_T] = Shelf(most)

    def __call__(self, *asked: Hashable) -> _T:
        """Return what the function returns for these arguments; what it raises is not kept."""
        value = self._shelf.get(asked)
        if value is None:
            value = self._make(*asked)
            self._shelf.put(asked, value, self._size(value))
        return value
