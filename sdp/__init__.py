"""SDP without I/O: lossless documents, typed views, and offer/answer.

``SessionDescription.parse(text)`` reads a document and keeps every byte of it.
``Negotiator`` creates and takes offers and answers (RFC 3264, RFC 8829): give it
``RtpCodec`` rows, one ``Transceiver`` per wanted m= section and a
``TransportDescription``; read ``media`` when it is stable again.
"""

from .attributes.direction import Direction
from .attributes.fingerprint import Fingerprint, strongest
from .attributes.msid import Msid
from .attributes.setup import Setup
from .document import SessionDescription
from .errors import (
    DescriptionRefused,
    InvalidStateError,
    ModifiedDescriptionError,
    SdpError,
)
from .kinds import MediaKind, SdpType
from .negotiation.candidates import CandidateDrop, CandidateMessage
from .negotiation.codec import NegotiatedCodec, RtpCodec
from .negotiation.media import NegotiatedMedia, SourceSsrcs
from .negotiation.negotiator import Negotiator
from .negotiation.policy import BundlePolicy, MissingProfile, NegotiationPolicy
from .negotiation.report import ReportEntry, Verdict
from .negotiation.states import SignalingState
from .negotiation.transceiver import Transceiver
from .negotiation.transport import TransportDescription
from .parser import Diagnostic
from .section import MediaDescription, Section

__all__ = [
    "SessionDescription",
    "MediaDescription",
    "Section",
    "Diagnostic",
    "Negotiator",
    "MediaKind",
    "SdpType",
    "RtpCodec",
    "Transceiver",
    "TransportDescription",
    "NegotiatedMedia",
    "NegotiatedCodec",
    "SourceSsrcs",
    "SignalingState",
    "CandidateMessage",
    "CandidateDrop",
    "NegotiationPolicy",
    "BundlePolicy",
    "MissingProfile",
    "ReportEntry",
    "Verdict",
    "Direction",
    "Fingerprint",
    "strongest",
    "Msid",
    "Setup",
    "SdpError",
    "InvalidStateError",
    "DescriptionRefused",
    "ModifiedDescriptionError",
]
