"""Values that are kept for whoever asks for the same next, as long as there is room for them."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Kept(Generic[_T]):
    """What a function returned, the values used last, together no larger than agreed. Threads may share it.

    Args:
        make: The function.
        size: How many bytes a value takes, about.
        most: How many bytes all of them may take.
    """

    def __init__(self, make: Callable[..., _T], size: Callable[[_T], int], most: int) -> None:
        self._make = make
        self._size = size
        self._free = most
        self._values: OrderedDict[Hashable, tuple[_T, int]] = OrderedDict()
        self._lock = Lock()

    def __call__(self, *asked: Hashable) -> _T:
        """Return what the function returns for these arguments; what it raises is not kept."""
        with self._lock:
            if asked in self._values:
                self._values.move_to_end(asked)
                return self._values[asked][0]
        value = self._make(*asked)
        size = self._size(value)
        with self._lock:
            if asked not in self._values:
                self._values[asked] = value, size
                self._free -= size
            while self._free < 0:
                _, (_, freed) = self._values.popitem(last=False)
                self._free += freed
        return value
