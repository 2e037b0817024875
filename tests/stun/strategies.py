"""Hypothesis strategies for attributes, messages and damaged messages."""

from __future__ import annotations

from hypothesis import strategies as st

from stun import (
    AccessToken,
    AdditionalAddressFamily,
    AddressErrorCode,
    AlgorithmParameters,
    AlternateDomain,
    AlternateServer,
    AnyAttribute,
    CacheTimeout,
    ChangeRequest,
    ChannelNumber,
    ConnectionId,
    Data,
    DontFragment,
    EcnCheck,
    ErrorCode,
    EvenPort,
    Fingerprint,
    IceControlled,
    IceControlling,
    Icmp,
    Lifetime,
    MappedAddress,
    MessageIntegrity,
    MessageIntegritySha256,
    MobilityTicket,
    Nonce,
    Origin,
    OtherAddress,
    Padding,
    PasswordAlgorithm,
    PasswordAlgorithms,
    Priority,
    Realm,
    RequestedAddressFamily,
    RequestedTransport,
    ReservationToken,
    ResponseOrigin,
    ResponsePort,
    Software,
    ThirdPartyAuthorization,
    TransactionTransmitCounter,
    UnknownAttributes,
    UseCandidate,
    Userhash,
    Username,
    XorMappedAddress,
    XorPeerAddress,
    XorRelayedAddress,
)
from transport import TransportAddress

transaction_ids = st.binary(min_size=12, max_size=12)
addresses = st.builds(
    TransportAddress, st.ip_addresses(v=4) | st.ip_addresses(v=6), st.integers(0, 0xFFFF)
)
_uint8 = st.integers(0, 0xFF)
_uint16 = st.integers(0, 0xFFFF)
_uint32 = st.integers(0, 0xFFFFFFFF)
_uint64 = st.integers(0, 2**64 - 1)
_bytes = st.binary(max_size=40)
_text = st.text(st.characters(codec="utf-8"), max_size=40)
_codes = st.integers(300, 699)
_entries = st.builds(AlgorithmParameters, _uint16, _bytes)

ATTRIBUTES: tuple[st.SearchStrategy[AnyAttribute], ...] = (
    st.builds(MappedAddress, addresses),
    st.builds(ChangeRequest, change_ip=st.booleans(), change_port=st.booleans()),
    st.builds(Username, _text),
    st.builds(MessageIntegrity, st.binary(min_size=20, max_size=20)),
    st.builds(ErrorCode, _codes, _text),
    st.builds(UnknownAttributes, st.lists(_uint16, max_size=9).map(tuple)),
    st.builds(ChannelNumber, _uint16),
    st.builds(Lifetime, _uint32),
    st.builds(XorPeerAddress, addresses),
    st.builds(Data, _bytes),
    st.builds(Realm, _text),
    st.builds(Nonce, _text),
    st.builds(XorRelayedAddress, addresses),
    st.builds(RequestedAddressFamily, _uint8),
    st.builds(EvenPort, st.booleans()),
    st.builds(RequestedTransport, _uint8),
    st.just(DontFragment()),
    st.builds(AccessToken, _bytes),
    st.builds(MessageIntegritySha256, st.sampled_from((16, 20, 24, 28, 32)).map(bytes)),
    st.builds(PasswordAlgorithm, _entries),
    st.builds(Userhash, st.binary(min_size=32, max_size=32)),
    st.builds(XorMappedAddress, addresses),
    st.builds(ReservationToken, st.binary(min_size=8, max_size=8)),
    st.builds(Priority, _uint32),
    st.just(UseCandidate()),
    st.builds(Padding, _bytes),
    st.builds(ResponsePort, _uint16),
    st.builds(ConnectionId, _uint32),
    st.builds(AdditionalAddressFamily, _uint8),
    st.builds(AddressErrorCode, _uint8, _codes, _text),
    st.builds(PasswordAlgorithms, st.lists(_entries, max_size=4).map(tuple)),
    st.builds(AlternateDomain, st.text(st.characters(codec="ascii"), max_size=40)),
    st.builds(Icmp, _uint8, _uint8, _uint32),
    st.builds(Software, _text),
    st.builds(AlternateServer, addresses),
    st.builds(TransactionTransmitCounter, _uint8, _uint8),
    st.builds(CacheTimeout, _bytes),
    st.builds(Fingerprint, _uint32),
    st.builds(IceControlled, _uint64),
    st.builds(IceControlling, _uint64),
    st.builds(ResponseOrigin, addresses),
    st.builds(OtherAddress, addresses),
    st.builds(EcnCheck, st.none() | st.integers(0, 3)),
    st.builds(ThirdPartyAuthorization, _text),
    st.builds(Origin, _text),
    st.builds(MobilityTicket, _bytes),
)
"""One for every attribute class."""

any_attribute = st.one_of(ATTRIBUTES)


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """``data`` with bytes changed, cut, doubled or moved."""
    damage = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(damage)))
        end = draw(st.integers(start, min(len(damage), start + 8)))
        match draw(st.sampled_from(("replace", "delete", "double", "insert"))):
            case "replace":
                damage[start:end] = draw(st.binary(min_size=end - start, max_size=end - start))
            case "delete":
                del damage[start:end]
            case "double":
                damage[start:start] = damage[start:end]
            case "insert":
                damage[start:start] = draw(st.binary(max_size=8))
    if draw(st.booleans()) and len(damage) >= 20:
        damage[2:4] = (len(damage) - 20 & 0xFFFF).to_bytes(2, "big")
    return bytes(damage)
