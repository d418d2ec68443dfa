"""Whether a fetched file goes on to its end: servers break off, and some write their error behind half an answer."""

import lzma
import zipfile
import zlib
from pathlib import Path
from typing import Final

from kg.errors import SourceError
from kg.registers.connector import looks_like_json
from kg.registers.reading import unpacked

_PIECE: Final = 1 << 20
_BLANK: Final = b" \r\n\t\x00"


def fault_of(path: Path, largest: int) -> str:
    """Return what shows that a file is cut off or damaged, or "" where nothing does.

    Args:
        path: The file: text, JSON, a ZIP archive, or text or a TAR archive within gzip or xz.
        largest: The most bytes that it may unpack to.

    Raises:
        SourceError: It unpacks to more.
    """
    with path.open("rb") as file:
        if file.read(4) == b"PK\x03\x04":
            # The list of an archive's members is at its end.
            return "" if zipfile.is_zipfile(path) else "a ZIP archive without its end"
        file.seek(0)
        begins = ends = b""
        size = 0
        try:
            stream = unpacked(file)
            while piece := stream.read(_PIECE):
                begins = begins or piece[:64]
                ends = piece.rstrip(_BLANK)[-1:] or ends
                size += len(piece)
                if size > largest:
                    raise SourceError(f"{path}: unpacks to more than {largest:,} bytes")
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            return f"a damaged archive: {error}"
    if looks_like_json(begins.decode("utf-8-sig", "replace")) and ends not in (b"}", b"]"):
        return "JSON without its end"
    return ""
