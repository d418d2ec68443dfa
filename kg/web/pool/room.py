"""The room that results take in the server until their clients have them."""


class Room:
    """So many bytes, for all results together.

    Args:
        most: The bytes.
    """

    def __init__(self, most: int) -> None:
        self.free = most


class Hold:
    """What one result takes of a room, until it leaves, or nothing refers to it any more."""

    __slots__ = ("_room", "_taken")

    def __init__(self, room: Room) -> None:
        self._room = room
        self._taken = 0

    def more(self, count: int) -> bool:
        """Take so many bytes more; return whether there was room."""
        if count > self._room.free:
            return False
        self._room.free -= count
        self._taken += count
        return True

    def leave(self) -> None:
        """Give back what was taken."""
        self._room.free += self._taken
        self._taken = 0

    __del__ = leave
