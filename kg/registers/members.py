"""Members of JSON of any form and size, one at a time, in constant memory.

A page `{"studies": [...], "totalCount": 1178}`, a bare array, one object, objects line by line or one after the
other, pages one after the other. What is cut out is parsed with orjson: a fifth of the time of the standard
library's parser, which alone would take longer than all else together. orjson says nothing of keys given twice, so
small files are looked through again (`twice_given`).

How a member is cut out: objects of one register nearly always begin with the same key, so the next `{"key"` after a
comma is likely where this member ends. That guess needs no check of its own: an object ends at one place only, so
where the bytes up to the guess parse as an object, they are the member. Where they do not, brackets are counted.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import orjson

from kg.errors import SourceError
from kg.registers.connector import json_of
from kg.registers.reading import LARGEST, Summary, decoded

BLOCK: Final = 1_048_576
"""How many bytes are read at once."""
WHOLE: Final = 4_194_304
"""Files up to this size are looked at as a whole first: their encoding, keys given twice."""
LARGEST_MEMBER: Final = 67_108_864
"""The largest member that can be meant; the largest study with results has a tenth of it."""
DEEPEST: Final = 500
_AHEAD: Final = 4 * BLOCK
"""How far ahead the next member's beginning is looked for."""
_HEAD: Final = 65_536
MOST_PACKED: Final = 100
"""A file that unpacks to more than so many times its size, and is large, is a bomb; registers reach ten."""

_STRUCTURE: Final = re.compile(rb'[^"{}\[\]]*+(?:"(?:[^"\\]++|\\.)*+"[^"{}\[\]]*+)*+([{}\[\]])', re.DOTALL)
_BETWEEN: Final = re.compile(rb"(?:[ \t\r\n]*,|(?<=[}\n]))[ \t\r\n]*\{[ \t\r\n]*\Z")
_GAP: Final = re.compile(rb"[ \t\r\n]*")
_FIRST_KEY: Final = re.compile(rb'\{[ \t\r\n]*("(?:[^"\\]|\\.){1,80}")')
_SCALAR: Final = rb'(?:"(?:[^"\\]++|\\.)*+"|-?[0-9][0-9.eE+-]*|null|true|false)'
_STRAY: Final = re.compile(rb'[ \t\r\n]*,?[ \t\r\n]*"(?:[^"\\]++|\\.)*+"[ \t\r\n]*:')
"""A key and a colon where the next member is due: a bracket too many closed the one before too early."""
_MEMBER: Final = rb'"\w{1,40}"[ \t\r\n]*:[ \t\r\n]*' + _SCALAR + rb"[ \t\r\n]*"
_PAGE: Final = rb"\{[ \t\r\n]*(?:" + _MEMBER + rb',[ \t\r\n]*)*"%s"[ \t\r\n]*:[ \t\r\n]*\['
_TAIL: Final = re.compile(rb"[ \t\r\n]*(?:,[ \t\r\n]*" + _MEMBER + rb")*\}")
_TOTAL: Final = re.compile(rb'"totalCount"[ \t\r\n]*:[ \t\r\n]*([0-9]{1,12})')
_NEXT: Final = re.compile(rb'"nextPageToken"[ \t\r\n]*:[ \t\r\n]*"')


@dataclass(frozen=True, slots=True)
class Broken:
    """A member that is not JSON: how it begins, and why it cannot be taken."""

    start: str
    reason: str


def members(
    file: BinaryIO, path: Path, summary: Summary, key: str, packed: int | None = None, strict: bool = True
) -> Iterator[object]:
    """Yield the members of a stream of JSON; each is whatever it is, or `Broken`.

    Args:
        file: The stream, unpacked.
        path: Its file, for messages.
        summary: Is told of repairs.
        key: The member of a page that holds the list, such as `studies`.
        packed: How many bytes the file has before it is unpacked; None where it is not packed.
        strict: Look for keys given twice, where the file is small.

    Raises:
        SourceError: It is no such JSON, is cut off, or unpacks to absurdly much.
    """
    first = file.read(WHOLE + 1)
    if first[:2] in (b"\xff\xfe", b"\xfe\xff"):
        first += file.read(LARGEST + 1 - len(first))
        if len(first) > LARGEST:
            raise SourceError(f"{path}: is UTF-16 and unpacks to more than {LARGEST:,} bytes")
        first = _utf8(first, path, summary)
    elif len(first) <= WHOLE:
        first = _utf8(first, path, summary)
        if strict:
            twice_given(first, path, summary)
    yield from _Cutter(file, first.removeprefix(b"\xef\xbb\xbf"), path, summary, key, packed).run()


def _utf8(raw: bytes, path: Path, summary: Summary) -> bytes:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return decoded(raw, path, summary).encode("utf-8", "surrogatepass")
    return raw


def twice_given(raw: bytes, path: Path, summary: Summary) -> None:
    """Warn of keys that objects of a small file give twice; a file that is no JSON is left to others."""
    try:
        json_of(raw.decode(), path, summary)
    except (SourceError, UnicodeDecodeError):
        return


class _Cutter:
    """Cuts one stream into members; holds no more than one member and one block at a time."""

    def __init__(
        self, file: BinaryIO, first: bytes, path: Path, summary: Summary, key: str, packed: int | None
    ) -> None:
        self.file = file
        self.buffer = first
        self.at = 0
        self.ended = False
        self.path = path
        self.summary = summary
        self.page = re.compile(_PAGE.replace(b"%s", re.escape(key.encode())))
        self.key = key
        self.packed = packed
        self.total = len(first)
        self.count = 0
        self.first_key: bytes | None = None

    def run(self) -> Iterator[object]:
        """Yield the members of all values of the stream."""
        anything = False
        while self.skip_gap():
            anything = True
            if len(self.buffer) - self.at < _HEAD:
                self.more()
            if self.buffer[self.at] == 0x5B:  # [
                self.at += 1
                yield from self.listed()
            elif self.buffer[self.at] != 0x7B:  # {
                raise SourceError(f"{self.path}: is not JSON of objects: {self.shown()!r}")
            elif head := self.page.match(self.buffer, self.at):
                before, self.at = self.count, head.end()
                yield from self.listed()
                self.end_page(head.group(), before)
            else:
                yield from self.loose()
        if not anything:
            raise SourceError(f"{self.path}: is empty")

    def listed(self) -> Iterator[object]:
        """Yield the members of a list whose opening bracket is behind."""
        if not self.skip_gap():
            raise self.cut_off()
        if self.buffer[self.at] == 0x5D:  # ]
            self.at += 1
            return
        while True:
            yield self.member()
            if not self.skip_gap():
                raise self.cut_off()
            mark = self.buffer[self.at]
            self.at += 1
            if mark == 0x5D:
                return
            if mark != 0x2C or not self.skip_gap():  # ,
                self.at -= 1
                raise SourceError(f"{self.path}: after member {self.count}: neither comma nor end: {self.shown()!r}")

    def loose(self) -> Iterator[object]:
        """Yield an object that stands by itself, or the members of a page that begins unusually."""
        found = self.member()
        inner = found.get(self.key) if isinstance(found, dict) else None
        if isinstance(inner, list):
            self.count += len(inner) - 1
            yield from inner
        else:
            yield found

    def end_page(self, head: bytes, before: int) -> None:
        """Take what follows a page's list, and compare the total that the page states."""
        tail = _TAIL.match(self.buffer, self.at)
        while tail is None and len(self.buffer) - self.at < BLOCK and self.more():
            tail = _TAIL.match(self.buffer, self.at)
        if tail is None:
            raise self.cut_off() if self.ended else SourceError(f"{self.path}: after the list: {self.shown()!r}")
        self.at = tail.end()
        stated = _TOTAL.search(tail.group()) or _TOTAL.search(head)
        held = self.count - before
        if stated and int(stated[1]) != held and not _NEXT.search(tail.group() + head):
            self.summary.warn("", "totalCount", int(stated[1]), f"the page holds {held:,} and names no next page")

    def member(self) -> object:
        """Cut out and parse the member that begins here."""
        self.count += 1
        if self.first_key is None and (key := _FIRST_KEY.match(self.buffer, self.at)):
            self.first_key = key[1]
        guessed, reason = self.guess() if self.first_key else 0, ""
        if guessed:
            try:
                found: object = orjson.loads(self.buffer[self.at : self.at + guessed])
            except orjson.JSONDecodeError as error:
                reason = str(error)
            else:
                self.at += guessed
                return found
        start = self.shown()
        size = self.size_by_brackets(4 * guessed + BLOCK if guessed else LARGEST_MEMBER)
        if size and not (guessed and _STRAY.match(self.buffer, self.at + size)):
            try:
                found = orjson.loads(self.buffer[self.at : self.at + size])
            except orjson.JSONDecodeError as error:
                reason = str(error)
            else:
                self.at += size
                return found
        if not (guessed or size):
            raise self.cut_off()
        # Of a member whose quotation marks do not close, brackets say nothing: the next beginning goes before.
        self.at += guessed or size
        return Broken(start, f"is not JSON: {reason}")

    def guess(self) -> int:
        """How long this member seems to be, up to the next one that begins with the same key; 0 where there is none."""
        assert self.first_key
        ahead = 1 + len(self.first_key)
        while True:
            found = self.buffer.find(self.first_key, self.at + ahead)
            if found < 0:
                # Looking on where it left off, so that a large member is not looked through again and again.
                ahead = max(ahead, len(self.buffer) - self.at - len(self.first_key))
                if ahead > _AHEAD or not self.more():
                    return 0
                continue
            between = _BETWEEN.search(self.buffer, max(self.at, found - 64), found)
            if between:
                return between.start() - self.at
            ahead = found + 1 - self.at

    def size_by_brackets(self, most: int) -> int:
        """How long this member is, counting brackets outside of strings; 0 where it does not end within so much."""
        if self.buffer[self.at] not in b"{[":
            return self.size_of_scalar()
        depth = size = 0
        while size <= most:
            mark = _STRUCTURE.match(self.buffer, self.at + size)
            if mark is None:
                if len(self.buffer) - self.at > most or not self.more():
                    return 0
                continue
            depth += 1 if mark[1] in b"{[" else -1
            size = mark.end() - self.at
            if depth == 0:
                return size
            if depth > DEEPEST and most == LARGEST_MEMBER:
                raise SourceError(f"{self.path}: member {self.count} is nested too deep")
        return 0

    def size_of_scalar(self) -> int:
        """How long a member is that is no object and no list; 0 where it is not JSON."""
        scalar = re.compile(_SCALAR).match(self.buffer, self.at)
        return scalar.end() - self.at if scalar else 0

    def skip_gap(self) -> bool:
        """Go on to the next byte that is no white space; False at the end of the stream."""
        while True:
            gap = _GAP.match(self.buffer, self.at)
            assert gap is not None
            self.at = gap.end()
            if self.at < len(self.buffer):
                return True
            if not self.more():
                return False

    def more(self) -> bool:
        """Read on, dropping what is behind; False at the end of the stream."""
        if self.ended:
            return False
        held = len(self.buffer) - self.at
        if held > LARGEST_MEMBER:
            raise SourceError(f"{self.path}: member {self.count} has more than {LARGEST_MEMBER:,} bytes")
        block = self.file.read(max(BLOCK, held))
        self.ended = not block
        self.total += len(block)
        if self.packed is not None and self.total > LARGEST and self.total > MOST_PACKED * self.packed:
            raise SourceError(f"{self.path}: unpacks to more than {MOST_PACKED} times its size")
        self.buffer = self.buffer[self.at :] + block
        self.at = 0
        return bool(block)

    def cut_off(self) -> SourceError:
        """The error of a stream that ends too early."""
        return SourceError(f"{self.path}: is cut off in or after member {self.count}")

    def shown(self) -> str:
        """How what comes next begins."""
        return self.buffer[self.at : self.at + 60].decode("utf-8", "replace")
