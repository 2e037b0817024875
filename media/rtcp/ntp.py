"""NTP timestamps and the round-trip time that reports give (RFC 3550 sections 4 and 6.4.1)."""

from __future__ import annotations

from .reports import ReportBlock

SECONDS_FROM_1900_TO_1970 = 2_208_988_800
_SHORT_UNITS = 1 << 16


def ntp_from_unix(seconds: float) -> int:
    """The 64 bits of a sender report for a time since 1970; they wrap in 2036."""
    return round((seconds + SECONDS_FROM_1900_TO_1970) * (1 << 32)) & 0xFFFF_FFFF_FFFF_FFFF


def unix_from_ntp(timestamp: int) -> float:
    """The seconds since 1970 of a sender report, of the era that ends in 2036."""
    return timestamp / (1 << 32) - SECONDS_FROM_1900_TO_1970


def ntp_short(timestamp: int) -> int:
    """The middle 32 bits, in 1/65536 seconds, that report blocks send back."""
    return timestamp >> 16 & 0xFFFF_FFFF


def round_trip_time(block: ReportBlock, received_ntp: int) -> float | None:
    """Seconds to the receiver that made the block and back.

    ``received_ntp`` is when the block arrived, by the clock of our sender reports. None
    when the receiver has had no report of ours; 0 when clocks make it negative.
    """
    if block.last_sr == 0:
        return None
    units = ntp_short(received_ntp) - block.last_sr - block.delay_since_last_sr & 0xFFFF_FFFF
    return 0.0 if units >= 1 << 31 else units / _SHORT_UNITS
