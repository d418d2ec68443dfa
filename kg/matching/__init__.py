"""Matching: what therapies, products, organisations, diseases, genes and places the texts of registers mean.

Exact ids first, then what curators decided, then names without case, marks and accents in any script, then names that
differ by a slip of the pen. What describes cells or a target names no therapy. See `Matcher`.
"""

from kg.matching.links import Candidate, Link
from kg.matching.matcher import Matcher

__all__ = ["Candidate", "Link", "Matcher"]
