"""Where permanent identifiers lead: rules for Apache, nginx and static hosts that send each client to page or data."""

import re
from collections.abc import Collection, Iterator
from functools import partial
from itertools import count
from typing import Final
from urllib.parse import urlsplit

from kg.namespaces import BASE, GRAPHS, ONTOLOGY, THINGS
from kg.web.answers import HTML
from kg.web.pages.linked import FORMATS
from kg.web.pages.things import SAME
from kg.web.publish.pages import VOID

_PAGE: Final = "page"
_NAME: Final = "([A-Za-z0-9][A-Za-z0-9._-]*)"
_KIND: Final = "([A-Za-z0-9-]+)"
_START, _SPACE, _END = r"(?:^|,)\s*", r"\s*", r"(?:,|$)"
_GLADLY: Final = r"(?:;(?!\s*q\s*=\s*0)[^,;]*)*"
"""Parameters without a quality below 1."""
_AT_ALL: Final = r"(?:;(?!\s*q\s*=\s*0(?:\.0*)?\s*(?:[,;]|$))[^,;]*)*"
"""Parameters without the quality 0."""


def rules(base: str, formats: Collection[str]) -> dict[str, str]:
    """Return the files of rules by their names below the published folder.

    Args:
        base: The address that the copy is to be found at, with a slash at its end.
        formats: The suffixes of the formats that data of things is published in.
    """
    return {"redirects/w3id.htaccess": _apache(base, formats), "redirects/nginx.conf": _nginx(base, formats)} | {
        "_redirects": _plain(base)
    }


def _asked(formats: Collection[str]) -> list[tuple[str, str]]:
    """Return patterns of an Accept header, each with what it asks for; the first that fits decides.

    What a client takes without reserve comes before what it takes at all, and among equals the page; finer
    differences of quality are more than such rules can tell.
    """
    media = {HTML: _PAGE, "application/xhtml+xml": _PAGE}
    media |= {FORMATS[suffix][0]: suffix for suffix in FORMATS if suffix in formats}
    media |= {name: suffix for name, suffix in SAME.items() if suffix in formats}
    media |= dict.fromkeys(("*/*", "text/*", "application/*"), _PAGE)
    found = [
        (f"{_START}{re.escape(name)}{_SPACE}{quality}{_END}", wanted)
        for quality in (_GLADLY, _AT_ALL)
        for name, wanted in media.items()
    ]
    return [("^$", _PAGE), *found]


def _places(base: str) -> list[tuple[str, str, str]]:
    """Return (pattern of what follows the identifiers' base, the page's address, the data's) of all that has both.

    `$1` and `$2` are the pattern's groups and `%` is the suffix of the format.
    """
    things, ontology, graphs = (iri.removeprefix(BASE) for iri in (THINGS, ONTOLOGY, GRAPHS))
    return [
        (f"^{things}{_KIND}/{_NAME}$", f"{base}page/$1/$2/", f"{base}data/$1/$2.%"),
        (f"^{ontology}$", f"{base}ontology/", f"{base}ontology.%"),
        (f"^(?:dataset|{graphs}.*)$", f"{base}sparql/", f"{base}{VOID[1:]}.ttl"),
        (f"^data/{_NAME}$", f"{base}dumps/$1", f"{base}dumps/$1"),
        ("^$", base, base),
    ]


def _apache(base: str, formats: Collection[str]) -> str:
    lines = [
        f"# Permanent identifiers of {BASE} lead to {base}",
        "# This file is the .htaccess of the folder cgt-kg in the repository of the identifier service.",
        "",
        "Options +FollowSymLinks",
        "RewriteEngine on",
        'Header always set Access-Control-Allow-Origin "*"',
        "Header always merge Vary Accept",
        "",
        "# What is asked for: the first pattern that fits decides.",
        "RewriteRule ^ - [E=AS:none]",
    ]
    for pattern, wanted in _asked(formats):
        lines += [
            "RewriteCond %{ENV:AS} ^none$",
            f"RewriteCond %{{HTTP_ACCEPT}} {pattern} [NC]",
            f"RewriteRule ^ - [E=AS:{wanted}]",
        ]
    lines += ["", "# Where it is."]
    for pattern, page, data in _places(base):
        if page != data:
            lines += [
                "RewriteCond %{ENV:AS} ^none$", f"RewriteRule {pattern} - [R=406,L]",
                "RewriteCond %{ENV:AS} ^page$", f"RewriteRule {pattern} {page} [R=303,L]",
            ]  # fmt: skip
        lines.append(f"RewriteRule {pattern} {data.replace('%', '%{ENV:AS}')} [R=303,L]")
    return "\n".join(lines) + "\n"


def _nginx(base: str, formats: Collection[str]) -> str:
    lines = [
        f"# Permanent identifiers below /{urlsplit(BASE).path.strip('/')}/ lead to {base}",
        "# The map stands in the block http, the locations in the block server.",
        "map $http_accept $cgt_as {",
        "    default none;",
        f'    "" {_PAGE};',
        *(f'    "~*{pattern}" {wanted};' for pattern, wanted in _asked(formats)[1:]),
        "}",
    ]
    for place in _places(base):
        number = count(1)
        # The map is a pattern too, and would forget groups that have no names.
        pattern = re.sub(r"\((?!\?)", partial(_named, number), place[0])
        page, data = (re.sub(r"\$(\d)", r"$cgt_\1", target) for target in place[1:])
        lines.append(f'location ~ "{pattern.replace("^", "^" + urlsplit(BASE).path, 1)}" {{')
        if page != data:
            lines += ["    if ($cgt_as = none) { return 406; }", f"    if ($cgt_as = page) {{ return 303 {page}; }}"]
        lines += [f"    return 303 {data.replace('%', '$cgt_as')};", "}"]
    return "\n".join(lines) + "\n"


def _named(number: Iterator[int], _: re.Match[str]) -> str:
    return f"(?<cgt_{next(number)}>"


def _plain(base: str) -> str:
    """Rules of hosts that cannot ask what a client likes: identifiers below the copy itself lead to its pages."""
    path = urlsplit(base).path
    return f"{path}id/* {path}page/:splat/ 302\n{path}dataset {path}sparql/ 302\n"
