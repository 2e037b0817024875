"""Which sections share the one transport of a session (RFC 9143 section 7)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from sdp.document import SessionDescription
from sdp.errors import DescriptionRefused

from .remote import RemoteSection, bundle_groups


@dataclasses.dataclass(frozen=True, slots=True)
class Bundle:
    """``tagged`` is the section whose transport counts, None when nothing is usable;
    ``members`` are the indices of all that use it, in the order of the group.

    ``is_group`` is False for a single section outside of any BUNDLE group. ``sharing``
    has those of the group that cannot be used too: candidates may come in their name.
    """

    tagged: int | None
    members: tuple[int, ...]
    is_group: bool
    sharing: tuple[int, ...] = ()


_NOTHING = Bundle(None, (), False)


def check_groups(document: SessionDescription, sections: Sequence[RemoteSection]) -> None:
    """Mids are unique, groups name sections that exist, and a section is in one group.

    Raises:
        DescriptionRefused: otherwise (RFC 5888 section 4, RFC 9143 section 5).
    """
    mids: set[str] = set()
    for section in sections:
        if section.mid is not None and section.mid in mids:
            raise DescriptionRefused(section.index, f"mid {section.mid} is not unique")
        mids.update([section.mid] if section.mid is not None else [])
    grouped: set[str] = set()
    for group in bundle_groups(document):
        for mid in group.mids:
            if mid not in mids:
                raise DescriptionRefused(None, f"BUNDLE names mid {mid}, which no section has")
            if mid in grouped:
                raise DescriptionRefused(None, f"mid {mid} stands in BUNDLE groups twice")
            grouped.add(mid)


def find_bundle(
    document: SessionDescription,
    sections: Sequence[RemoteSection],
    is_usable: Callable[[RemoteSection], bool],
) -> Bundle:
    """The transport of the first usable section, and what else travels on it.

    Our policy is max-bundle (RFC 8829 section 4.1.1): what does not share the first
    usable section's transport is not used. In a group the first usable mid is the
    tagged section, provided it has a transport of its own (port not 0).
    """
    first = next((s for s in sections if is_usable(s)), None)
    if first is None:
        return _NOTHING
    by_mid = {s.mid: s for s in sections if s.mid is not None}
    for group in bundle_groups(document):
        if first.mid in group.mids:
            members = [by_mid[mid] for mid in group.mids if is_usable(by_mid[mid])]
            tagged = next((s for s in members if s.line.port != 0), members[0])
            sharing = tuple(by_mid[mid].index for mid in group.mids)
            return Bundle(tagged.index, tuple(s.index for s in members), True, sharing)
    return Bundle(first.index, (first.index,), False, (first.index,))
