"""H.264 profiles and levels (RFC 6184 sections 8.1 and 8.2.2)."""

from __future__ import annotations

import dataclasses
import re
from typing import Self

from .codec import RtpCodec
from .policy import MissingProfile

PROFILE_LEVEL_ID = "profile-level-id"
PACKETIZATION_MODE = "packetization-mode"
LEVEL_ASYMMETRY = "level-asymmetry-allowed"

_HEX = re.compile(r"[0-9A-Fa-f]{6}")
_SET3 = 0x10
_LEVEL_1B_RANK = 105
_LEVEL_1B_BY_SET3 = (66, 77, 88)
"""Profiles that say level 1b as level_idc 11 with constraint_set3_flag."""

_PROFILES = (
    # profile_idc, mask of the bits of profile_iop that count, their value
    ("Constrained Baseline", 0x42, 0x4F, 0x40),
    ("Constrained Baseline", 0x4D, 0x8F, 0x80),
    ("Constrained Baseline", 0x58, 0xCF, 0xC0),
    ("Baseline", 0x42, 0x4F, 0x00),
    ("Baseline", 0x58, 0xCF, 0x80),
    ("Extended", 0x58, 0xCF, 0x00),
    ("Main", 0x4D, 0xAF, 0x00),
    ("High", 0x64, 0xFF, 0x00),
    ("Constrained High", 0x64, 0xFF, 0x0C),
    ("High 10", 0x6E, 0xFF, 0x00),
    ("High 4:2:2", 0x7A, 0xFF, 0x00),
    ("High 4:4:4 Predictive", 0xF4, 0xFF, 0x00),
    ("High 10 Intra", 0x6E, 0xFF, 0x10),
    ("High 4:2:2 Intra", 0x7A, 0xFF, 0x10),
    ("High 4:4:4 Intra", 0xF4, 0xFF, 0x10),
    ("CAVLC 4:4:4 Intra", 0x2C, 0xFF, 0x10),
)
"""RFC 6184 table 5, and Constrained High (H.264 A.2.4.2), which browsers offer."""


@dataclasses.dataclass(frozen=True, slots=True)
class ProfileLevelId:
    """The three bytes: profile_idc, profile_iop, level_idc."""

    profile_idc: int
    profile_iop: int
    level_idc: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """From six hex digits; None for anything else."""
        return cls(*bytes.fromhex(text)) if _HEX.fullmatch(text) else None

    def __str__(self) -> str:
        return bytes((self.profile_idc, self.profile_iop, self.level_idc)).hex()

    @property
    def profile(self) -> str:
        """The profile's name. Several triples of bytes mean the same profile; what no
        row knows is a profile of its own."""
        for name, idc, mask, value in _PROFILES:
            if self.profile_idc == idc and self.profile_iop & mask == value:
                return name
        return f"profile {self.profile_idc:02x}{self.profile_iop:02x}"

    @property
    def is_level_1b(self) -> bool:
        if self.profile_idc in _LEVEL_1B_BY_SET3:
            return self.level_idc == 11 and bool(self.profile_iop & _SET3)
        return self.level_idc == 9

    @property
    def level_rank(self) -> int:
        """Orders levels: 1b stands between 1 and 1.1."""
        return _LEVEL_1B_RANK if self.is_level_1b else self.level_idc * 10

    @property
    def level(self) -> str:
        if self.is_level_1b:
            return "1b"
        whole, tenth = divmod(self.level_idc, 10)
        return f"{whole}.{tenth}" if tenth else str(whole)

    def at_level_of(self, other: ProfileLevelId) -> ProfileLevelId:
        """This profile at the other's level."""
        by_set3 = self.profile_idc in _LEVEL_1B_BY_SET3
        iop = self.profile_iop
        if by_set3 and (self.is_level_1b or other.is_level_1b):
            iop = iop | _SET3 if other.is_level_1b else iop & ~_SET3
        level_idc = other.level_idc
        if other.is_level_1b:
            level_idc = 11 if by_set3 else 9
        return ProfileLevelId(self.profile_idc, iop, level_idc)


@dataclasses.dataclass(frozen=True, slots=True)
class LevelAgreement:
    """What either side may send at most, each as profile-level-id."""

    send: ProfileLevelId
    receive: ProfileLevelId
    asymmetric: bool


def profile_of(codec: RtpCodec, missing: MissingProfile) -> ProfileLevelId | None:
    """A codec's profile-level-id, or what its absence means; None if malformed."""
    text = codec.parameter(PROFILE_LEVEL_ID)
    return ProfileLevelId.parse(missing.value if text is None else text)


def mode_of(codec: RtpCodec) -> str:
    """The packetization mode; 0 when absent (RFC 6184 section 8.1)."""
    return codec.parameter(PACKETIZATION_MODE) or "0"


def mismatch(local: RtpCodec, remote: RtpCodec, missing: MissingProfile) -> str | None:
    """Why the two are different configurations, or None when they are one.

    Profile and packetization mode are used symmetrically; the level is not part of
    the configuration (RFC 6184 section 8.2.2).
    """
    if mode_of(local) != mode_of(remote):
        return f"packetization-mode {mode_of(remote)} is not wanted, only {mode_of(local)}"
    ours, theirs = profile_of(local, missing), profile_of(remote, missing)
    if ours is None or theirs is None:
        return "profile-level-id is not six hex digits"
    if ours.profile != theirs.profile:
        return f"{theirs.profile} is not wanted, only {ours.profile}"
    return None


def agree_on_level(
    local: RtpCodec, remote: RtpCodec, missing: MissingProfile
) -> LevelAgreement | None:
    """The levels of two matching codecs; None when a profile-level-id is malformed.

    Each side may send what the other declared only if both allow asymmetry; otherwise
    the lower level holds both ways.
    """
    ours, theirs = profile_of(local, missing), profile_of(remote, missing)
    if ours is None or theirs is None:
        return None
    if local.parameter(LEVEL_ASYMMETRY) == "1" and remote.parameter(LEVEL_ASYMMETRY) == "1":
        return LevelAgreement(theirs, theirs.at_level_of(ours), True)
    lower = theirs.at_level_of(min(ours, theirs, key=lambda p: p.level_rank))
    return LevelAgreement(lower, lower, False)
