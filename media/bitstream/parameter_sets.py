"""Keeping H.264 parameter sets at hand, and putting them where a viewer needs them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from transport import DecodeError

from .annexb import NalType, nal_type
from .sps import PictureParameterSet, SequenceParameterSet

MAX_PARAMETER_SETS_BYTES = 64 * 1024
"""All sets together; a source that sends more is broken, and they go before every IDR."""


class ParameterSets:
    """Remembers the parameter sets of a stream, wherever they came from.

    RFC 6184 section 8.4: whoever joins in mid-stream needs them in band before the
    first IDR picture that it gets.
    """

    def __init__(self, parameter_sets: Iterable[bytes] = ()) -> None:
        self._sequence: dict[int, bytes] = {}
        self._picture: dict[int, bytes] = {}
        self.remember(parameter_sets)

    def remember(self, nals: Iterable[bytes]) -> None:
        """Keep what of these are parameter sets; a later one replaces its id."""
        for nal in nals:
            try:
                match nal_type(nal):
                    case NalType.SPS:
                        self._keep(self._sequence, SequenceParameterSet.decode(nal).set_id, nal)
                    case NalType.PPS:
                        self._keep(self._picture, PictureParameterSet.decode(nal).set_id, nal)
            except DecodeError:
                continue  # it stays in the stream as it is; only a copy is not kept

    @property
    def nals(self) -> tuple[bytes, ...]:
        """The sets now in force, sequence parameter sets first."""
        return (*self._sequence.values(), *self._picture.values())

    def before_idr(self, nals: Sequence[bytes]) -> list[bytes]:
        """The access unit, with all kept sets in front if it has an IDR and lacks some.

        Sets found in band are remembered. Access unit delimiters, which would have to
        come first (H.264 section 7.4.1.2.3), are the packetizer's to take out.
        """
        kinds = {nal_type(nal) for nal in nals}
        if not kinds.isdisjoint((NalType.SPS, NalType.PPS)):
            self.remember(nals)
        if NalType.IDR_SLICE not in kinds or kinds.issuperset((NalType.SPS, NalType.PPS)):
            return list(nals)
        kept = self.nals
        return [*kept, *(nal for nal in nals if nal not in kept)]

    def _keep(self, sets: dict[int, bytes], set_id: int, nal: bytes) -> None:
        others = sum(map(len, self.nals)) - len(sets.get(set_id, b""))
        if others + len(nal) <= MAX_PARAMETER_SETS_BYTES:
            sets[set_id] = nal
