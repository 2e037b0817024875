"""Candidates that come before their offer."""

from __future__ import annotations

from hairpin.early import MAX_CANDIDATES, MAX_SENDERS, EarlyCandidates
from signaling import RemoteCandidate


def candidate(number: int) -> RemoteCandidate:
    return RemoteCandidate(f"candidate:{number} 1 udp 1 192.0.2.1 {number} typ host", "0", 0)


def test_candidates_are_kept_in_order_and_given_out_once() -> None:
    early = EarlyCandidates()
    for number in (1, 2):
        early.keep("ann", candidate(number))
    early.keep("bob", candidate(3))

    assert early.take("ann") == [candidate(1), candidate(2)]
    assert early.take("ann") == []
    assert early.take("bob") == [candidate(3)]


def test_neither_one_viewer_nor_many_fill_the_memory() -> None:
    early = EarlyCandidates()
    for number in range(MAX_CANDIDATES + 1):
        early.keep("ann", candidate(number))
    assert len(early.take("ann")) == MAX_CANDIDATES

    for number in range(MAX_SENDERS + 1):
        early.keep(str(number), candidate(number))
    assert early.take("0") == []
    assert early.take("1") == [candidate(1)]
