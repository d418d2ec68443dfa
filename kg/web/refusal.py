"""What a request is answered with that cannot be answered as asked."""


class RefusedError(Exception):
    """A request that is answered with an error.

    Args:
        status: The HTTP status.
        message: What is wrong and what to do, for a person.
        headers: Headers that go with it.
        place: The line and the column of a query that it points at, counted from 1 in characters.
    """

    def __init__(
        self, status: int, message: str, headers: dict[str, str] | None = None, place: tuple[int, int] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}
        self.place = place
