"""Licence names as data states them, and the identifiers that the Hugging Face hub knows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_HUB_IDENTIFIERS = frozenset(
    "afl-3.0 agpl-3.0 apache-2.0 artistic-2.0 bsd-2-clause bsd-3-clause bsl-1.0 c-uda cc "
    "cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 "
    "cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 "
    "cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc0-1.0 cdla-permissive-1.0 cdla-permissive-2.0 "
    "cdla-sharing-1.0 ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 gfdl gpl gpl-2.0 gpl-3.0 isc "
    "lgpl lgpl-2.1 lgpl-3.0 mit mpl-2.0 ms-pl odbl odc-by openrail osl-3.0 pddl unlicense wtfpl "
    "zlib".split()
)
_ALIASES = {
    "apache": "apache-2.0",
    "apache-2": "apache-2.0",
    "apache2": "apache-2.0",
    "apache2.0": "apache-2.0",
    "cc0": "cc0-1.0",
    "cc-0": "cc0-1.0",
    "gpl3": "gpl-3.0",
    "gpl-3": "gpl-3.0",
    "gplv3": "gpl-3.0",
    "agplv3": "agpl-3.0",
    "gpl2": "gpl-2.0",
    "gplv2": "gpl-2.0",
    "lgplv3": "lgpl-3.0",
}
_FILLERS = frozenset({"license", "licence", "the", "version", "v"})


class HubLicense(NamedTuple):
    """The licence fields of a card's front matter.

    Attributes:
        identifiers: sorted; `other` for terms that the hub has no identifier for, `unknown` for
            rows that state none.
        other_names: slugs of the terms behind `other`, sorted.
    """

    identifiers: list[str]
    other_names: list[str]


def hub_license(stated: Iterable[str | None]) -> HubLicense:
    """The hub's identifiers for the licences that the rows state.

    Example:
        >>> hub_license(["MIT License", "CC BY-SA 4.0", "research only", None])
        HubLicense(identifiers=['cc-by-sa-4.0', 'mit', 'other', 'unknown'], \
other_names=['research-only'])
    """
    identifiers, other_names = set(), set()
    for text in set(stated):
        slug = _slug(text or "")
        if slug in _HUB_IDENTIFIERS:
            identifiers.add(slug)
        elif slug in {"none", "unknown", "null"} or not (text or "").strip():
            identifiers.add("unknown")
        else:
            identifiers.add("other")
            other_names.add(slug or "unnamed-terms")
    return HubLicense(sorted(identifiers or {"unknown"}), sorted(other_names))


def license_identifier(stated: str | None) -> str:
    """The hub's identifier for one stated licence; `other`, or `unknown` where there is none.

    Example:
        >>> license_identifier("CC BY-ND 4.0")
        'cc-by-nd-4.0'
    """
    (identifier,) = hub_license([stated]).identifiers
    return identifier


def _slug(text: str) -> str:
    words = re.findall(r"[a-z0-9.]+", text[:200].lower())
    slug = "-".join(word.strip(".") for word in words if word not in _FILLERS).strip("-")[:60]
    return _ALIASES.get(slug, slug)
