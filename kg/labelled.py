"""Records that were labelled by hand, with what the classifier makes of them: the classifier, measured."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from kg.classify import Verdict, classify
from kg.errors import KgError, SourceError
from kg.evaluate import Evaluation, evaluate
from kg.registers import read, recognise

COLUMNS: Final = ("register", "id", "is_cgt", "therapy_class", "targets", "cell_source", "follow_up", "sure", "part")
PARTS: Final = ("open", "held-out")


def labels(folder: Path) -> dict[tuple[str, str], dict[str, str]]:
    """Read every table of labels in a folder, by register and id.

    Raises:
        KgError: There is none, or one cannot be read.
    """
    found = {}
    try:
        for path in sorted(folder.glob("*.csv")):
            with path.open(encoding="utf-8", newline="") as file:
                rows = csv.DictReader(file)
                if rows.fieldnames and set(COLUMNS) <= set(rows.fieldnames):
                    found.update({(row["register"], row["id"]): row for row in rows})
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise KgError(f"{folder}: labels cannot be read: {error}") from error
    if not found:
        raise KgError(f"{folder}: no table of labels ({', '.join(COLUMNS)}) here")
    return found


def verdicts(
    files: Sequence[Path], known: dict[tuple[str, str], dict[str, str]]
) -> Iterator[tuple[dict[str, str], Verdict]]:
    """Yield each labelled record that files hold, once, with the classifier's verdict."""
    left = dict(known)
    for path in files:
        try:
            summary, records = read(path, recognise(path).name)
        except SourceError:
            continue
        for record in records:
            label = left.pop((summary.register, record.id), None)
            if label is not None:
                yield label, classify(record)


def measure(folder: Path, labelled: Path) -> dict[str, Evaluation]:
    """Measure the classifier on the labelled records that a folder of registers holds.

    Args:
        folder: Register files.
        labelled: A folder of labels.

    Returns:
        An evaluation of each part: `open`, on which rules may be tuned, and `held-out`, on which they may not.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    pairs = list(verdicts(files, labels(labelled)))
    return {part: evaluate(pair for pair in pairs if pair[0]["part"] == part) for part in PARTS}
