"""What is found out about a trial: whether it is ours, of which class, and which things its words mean.

A function at the top of a module, so that processes that read registers in parallel can find it by name.
"""

import hashlib
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path

from kg import classify, curated
from kg.curated import Tables
from kg.matching import Matcher
from kg.registers.records import TrialRecord
from kg.registers.trials import Enrich, TrialFacts
from kg.vocabularies import FILES

FOLLOW_UP = "Follows people who were treated before; no treatment is given."


class Enricher:
    """Classifies and matches trials.

    Args:
        tables: The curated tables.
        vocabularies: A folder of vocabularies for diseases, genes and countries that no table has, or None.
    """

    def __init__(self, tables: Tables, vocabularies: Path | None) -> None:
        self._matcher = Matcher(tables, vocabularies)

    def facts(self, record: TrialRecord) -> TrialFacts:
        """Return what is found out about a trial."""
        verdict = classify.classify(record)
        if not verdict.is_cgt:
            return TrialFacts(ours=False)
        matcher = self._matcher
        therapies = matcher.therapies(record)
        diseases = matcher.diseases(record.conditions)
        countries = matcher.countries(record.countries)
        sponsor = matcher.organisation(record.sponsor)
        links = (*therapies, *diseases, *((sponsor,) if sponsor else ()))
        return TrialFacts(
            therapies=tuple(link.thing for link in therapies),
            diseases=tuple(dict.fromkeys(link.thing for link in diseases)),
            sponsor=sponsor.thing if sponsor else None,
            therapy_class=(verdict.therapy_class,) if verdict.therapy_class else (),
            targets=self._genes(verdict.targets),
            cell_source=(verdict.cell_source,) if verdict.cell_source else (),
            countries=tuple(dict.fromkeys(link.thing for link in countries)),
            note=FOLLOW_UP if verdict.follow_up else None,
            links=tuple((link.thing, link.text[:200], link.method, link.score) for link in links),
        )

    def _genes(self, targets: Sequence[str]) -> tuple[str, ...]:
        """The genes of targets; an antigen that is no gene's product, such as GD2, has none."""
        found = (self._matcher.genes((target.rpartition(":")[2].upper(),)) for target in targets)
        # A gene that no table has is known to its vocabulary by number; here genes are called by their symbols.
        ids = (
            link.thing if link.thing.startswith("gene:") else f"gene:{link.label.lower()}"
            for (link,) in filter(None, found)
        )
        return tuple(dict.fromkeys(ids))


@cache
def _enricher(folders: tuple[str, ...], vocabularies: str | None) -> Enricher:
    tables = curated.read([Path(folder) for folder in folders])
    return Enricher(tables, Path(vocabularies) if vocabularies else None)


def enrich(record: TrialRecord, folders: tuple[str, ...], vocabularies: str | None) -> TrialFacts:
    """Return what is found out about a trial with the tables of some folders; they are read once a process."""
    return _enricher(folders, vocabularies).facts(record)


def enriching(folders: Sequence[Path], vocabularies: Path | None) -> tuple[Enrich, str]:
    """Return `enrich` with its tables, fit to be sent to other processes, and the checksum of all it rests on."""
    digest = hashlib.sha256()
    paths = [path for folder in folders for path in sorted(folder.glob("*.csv"))] + [classify.RULES]
    if vocabularies is not None:
        paths += [vocabularies / name for name, _ in FILES.values() if (vocabularies / name).is_file()]
    for path in paths:
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    found = partial(
        enrich,
        folders=tuple(str(folder) for folder in folders),
        vocabularies=str(vocabularies) if vocabularies is not None else None,
    )
    return found, digest.hexdigest()
