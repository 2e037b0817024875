"""Why a client has dropped what came to it."""

from __future__ import annotations

import enum


class DropReason(enum.Enum):
    FOREIGN_PATH = "it did not come from the server"
    MALFORMED = "it is no STUN message"
    BAD_FINGERPRINT = "its FINGERPRINT is wrong"
    UNKNOWN_TRANSACTION = "it answers nothing that is under way"
    UNEXPECTED_MESSAGE = "it is no response"
