"""Makes small XLSX files by hand, right ones and wrong ones, without a spreadsheet library."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
DATE_STYLE = 1


class Raw(str):
    """The inside of a cell, as XML: put between `<c r="...">` and `</c>`."""


class Date(int):
    """A serial number in a cell that is formatted as a date."""


def letters(column: int) -> str:
    """Return the name of a column by its number from 0."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def cell(value: object, row: int, column: int) -> str:
    place = f'r="{letters(column)}{row}"'
    if value is None or value == "":
        return ""
    if isinstance(value, Raw):
        return f"<c {place}>{value}</c>" if not value.startswith("<c") else str(value)
    if isinstance(value, Date):
        return f'<c {place} s="{DATE_STYLE}"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f"<c {place}><v>{value}</v></c>"
    text = "".join(c for c in str(value) if c in "\t\n\r" or (c >= " " and not "\ud800" <= c <= "\udfff"))
    return f'<c {place} t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def sheet(rows: Sequence[Sequence[object]], merged: Sequence[str] = (), head: str = "") -> str:
    body = "".join(
        f'<row r="{number}">{"".join(cell(value, number, at) for at, value in enumerate(row))}</row>'
        for number, row in enumerate(rows, 1)
    )
    ends = "".join(f'<mergeCell ref="{ref}"/>' for ref in merged)
    merges = f"<mergeCells>{ends}</mergeCells>" if ends else ""
    return f'<worksheet xmlns="{MAIN}">{head}<sheetData>{body}</sheetData>{merges}</worksheet>'


def parts(sheets: dict[str, str], strings: str = "", from_1904: bool = False) -> dict[str, str]:
    """Return the parts of a workbook, by name, of sheets as XML."""
    names = list(sheets)
    listed = "".join(f'<sheet name="{escape(n)}" sheetId="{i}" r:id="rId{i}"/>' for i, n in enumerate(names, 1))
    related = "".join(
        f'<Relationship Id="rId{i}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(names) + 1)
    )
    made = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" '
        'ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><workbookPr date1904="{int(from_1904)}"/>'
        f"<sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{related}'
        f'<Relationship Id="rId900" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
        f'<Relationship Id="rId901" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/>'
        "</cellXfs></styleSheet>",
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{strings}</sst>',
    }
    for number, name in enumerate(names, 1):
        made[f"xl/worksheets/sheet{number}.xml"] = sheets[name]
    return made


def write(path: Path, found: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in found.items():
            archive.writestr(name, text)
    return path


def workbook(path: Path, rows: Sequence[Sequence[object]], **options: Sequence[str]) -> Path:
    """Write a workbook of one sheet."""
    return write(path, parts({"Medicine": sheet(rows, **options)}))  # type: ignore[arg-type]
