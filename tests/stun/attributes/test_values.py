"""The bytes of each attribute's value, and what its constructor and decoder refuse."""

from __future__ import annotations

import pytest

from stun import (
    AccessToken,
    AdditionalAddressFamily,
    AddressErrorCode,
    AddressFamily,
    AlgorithmParameters,
    AlternateDomain,
    AlternateServer,
    AnyAttribute,
    Attribute,
    CacheTimeout,
    ChangeRequest,
    ChannelNumber,
    ConnectionId,
    Data,
    DontFragment,
    EcnCheck,
    ErrorCode,
    ErrorNumber,
    EvenPort,
    Fingerprint,
    IceControlled,
    IceControlling,
    Icmp,
    IpProtocol,
    KeyAlgorithm,
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
    UnknownAttribute,
    UnknownAttributes,
    UseCandidate,
    Userhash,
    Username,
    XorMappedAddress,
    XorPeerAddress,
    XorRelayedAddress,
)
from transport import DecodeError, TransportAddress

ID = bytes.fromhex("b7e7a701bc34d686fa87dfae")
V4 = TransportAddress.parse("192.0.2.1", 32853)
V6 = TransportAddress.parse("2001:db8:1234:5678:11:2233:4455:6677", 32853)
MD5 = AlgorithmParameters(KeyAlgorithm.MD5)
SHA256 = AlgorithmParameters(KeyAlgorithm.SHA256)

PLAIN_V4 = "00018055c0000201"
XOR_V4 = "0001a147e112a643"
PLAIN_V6 = "0002805520010db8123456780011223344556677"
XOR_V6 = "0002a1470113a9faa5d3f179bc25f4b5bed2b9d9"


@pytest.mark.requirement("stun-turn:COD-ATTR-12")
@pytest.mark.requirement("stun-turn:COD-ADDR-06")
@pytest.mark.requirement("stun-turn:COD-ADDR-07")
@pytest.mark.requirement("stun-turn:COD-TXT-08")
@pytest.mark.requirement("stun-turn:COD-TXT-09")
@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        pytest.param(MappedAddress(V4), PLAIN_V4, id="mapped-address"),
        pytest.param(MappedAddress(V6), PLAIN_V6, id="mapped-address-6"),
        pytest.param(XorMappedAddress(V4), XOR_V4, id="xor-mapped-address"),
        pytest.param(XorMappedAddress(V6), XOR_V6, id="xor-mapped-address-6"),
        pytest.param(XorPeerAddress(V6), XOR_V6, id="xor-peer-address"),
        pytest.param(XorRelayedAddress(V4), XOR_V4, id="xor-relayed-address"),
        pytest.param(AlternateServer(V4), PLAIN_V4, id="alternate-server"),
        pytest.param(ResponseOrigin(V4), PLAIN_V4, id="response-origin"),
        pytest.param(OtherAddress(V6), PLAIN_V6, id="other-address"),
        pytest.param(ChangeRequest(change_ip=True), "00000004", id="change-ip"),
        pytest.param(ChangeRequest(change_port=True), "00000002", id="change-port"),
        pytest.param(ResponsePort(3478), "0d960000", id="response-port"),
        pytest.param(ErrorCode(438, "Stale Nonce"), "00000426" + b"Stale Nonce".hex(), id="error"),
        pytest.param(UnknownAttributes((0x7FFF, 2, 3)), "7fff00020003", id="unknown-attributes"),
        pytest.param(PasswordAlgorithms((SHA256, MD5)), "0002000000010000", id="algorithms"),
        pytest.param(PasswordAlgorithm(SHA256), "00020000", id="algorithm"),
        pytest.param(
            PasswordAlgorithms((AlgorithmParameters(9, b"abcde"), MD5)),
            "000900056162636465000000" + "00010000",
            id="algorithm-parameters-are-padded",
        ),
        pytest.param(AlternateDomain("a.example"), b"a.example".hex(), id="alternate-domain"),
        pytest.param(ChannelNumber(0x4001), "40010000", id="channel-number"),
        pytest.param(Lifetime(600), "00000258", id="lifetime"),
        pytest.param(RequestedAddressFamily(AddressFamily.IPV6), "02000000", id="family"),
        pytest.param(AdditionalAddressFamily(2), "02000000", id="additional-family"),
        pytest.param(EvenPort(True), "80", id="even-port-reserving"),
        pytest.param(EvenPort(False), "00", id="even-port"),
        pytest.param(RequestedTransport(IpProtocol.UDP), "11000000", id="requested-transport"),
        pytest.param(DontFragment(), "", id="dont-fragment"),
        pytest.param(ReservationToken(b"12345678"), b"12345678".hex(), id="reservation-token"),
        pytest.param(AddressErrorCode(2, 440, "x"), "0200042878", id="address-error-code"),
        pytest.param(Icmp(3, 4, 1400), "0000030400000578", id="icmp"),
        pytest.param(Priority(0x6E0001FF), "6e0001ff", id="priority"),
        pytest.param(UseCandidate(), "", id="use-candidate"),
        pytest.param(IceControlled(1), "0000000000000001", id="ice-controlled"),
        pytest.param(IceControlling(2**63), "8000000000000000", id="ice-controlling"),
        pytest.param(ConnectionId(7), "00000007", id="connection-id"),
        pytest.param(TransactionTransmitCounter(3, 1), "00000301", id="transmit-counter"),
        pytest.param(EcnCheck(2), "00000005", id="ecn-check"),
        pytest.param(EcnCheck(), "00000000", id="ecn-check-in-a-request"),
        pytest.param(MobilityTicket(), "", id="empty-ticket"),
        pytest.param(CacheTimeout(b"\1\2"), "0102", id="cache-timeout"),
        pytest.param(Fingerprint(0xC07D4C96), "c07d4c96", id="fingerprint"),
    ],
)
def test_a_value_is_written_as_its_rfc_draws_it(attribute: AnyAttribute, expected: str) -> None:
    assert attribute.encode(ID).hex() == expected


@pytest.mark.requirement("stun-turn:COD-ATTR-13")
@pytest.mark.parametrize(
    ("cls", "size"),
    [
        pytest.param(ChannelNumber, 4, id="channel-number"),
        pytest.param(Lifetime, 4, id="lifetime"),
        pytest.param(RequestedTransport, 4, id="requested-transport"),
        pytest.param(RequestedAddressFamily, 4, id="requested-address-family"),
        pytest.param(AdditionalAddressFamily, 4, id="additional-address-family"),
        pytest.param(EvenPort, 1, id="even-port"),
        pytest.param(DontFragment, 0, id="dont-fragment"),
        pytest.param(ReservationToken, 8, id="reservation-token"),
        pytest.param(Icmp, 8, id="icmp"),
        pytest.param(ConnectionId, 4, id="connection-id"),
        pytest.param(ChangeRequest, 4, id="change-request"),
        pytest.param(Priority, 4, id="priority"),
        pytest.param(UseCandidate, 0, id="use-candidate"),
        pytest.param(IceControlled, 8, id="ice-controlled"),
        pytest.param(IceControlling, 8, id="ice-controlling"),
        pytest.param(TransactionTransmitCounter, 4, id="transmit-counter"),
        pytest.param(EcnCheck, 4, id="ecn-check"),
        pytest.param(Userhash, 32, id="userhash"),
        pytest.param(MessageIntegrity, 20, id="message-integrity"),
        pytest.param(Fingerprint, 4, id="fingerprint"),
    ],
)
def test_a_value_of_fixed_size_is_refused_in_any_other(cls: type[Attribute], size: int) -> None:
    cls.decode(bytes(size), ID)

    for wrong in {0, size - 1, size + 1, size + 4} - {size, -1}:
        with pytest.raises(DecodeError):
            cls.decode(bytes(wrong), ID)


@pytest.mark.requirement("stun-turn:COD-ATTR-14")
@pytest.mark.requirement("stun-turn:COD-ADDR-01")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("4001ffff", ChannelNumber(0x4001), id="channel-number"),
        pytest.param("11ffffff", RequestedTransport(17), id="requested-transport"),
        pytest.param("01ffffff", RequestedAddressFamily(1), id="requested-address-family"),
        pytest.param("02ffffff", AdditionalAddressFamily(2), id="additional-address-family"),
        pytest.param("ff", EvenPort(True), id="even-port-reserving"),
        pytest.param("7f", EvenPort(False), id="even-port"),
        pytest.param("ffff030400000000", Icmp(3, 4), id="icmp"),
        pytest.param("fffffffe", ChangeRequest(change_ip=True, change_port=True), id="change"),
        pytest.param("fffffff9", ChangeRequest(), id="change-nothing"),
        pytest.param("fffffffc", EcnCheck(), id="ecn-check"),
        pytest.param("ffff0301", TransactionTransmitCounter(3, 1), id="transmit-counter"),
        pytest.param("fffffc0461", ErrorCode(404, "a"), id="error-code"),
        pytest.param("02fffc28", AddressErrorCode(2, 440), id="address-error-code"),
        pytest.param("ff01a147e112a643", XorPeerAddress(V4), id="xor-peer-address"),
        pytest.param("0d96ffff", ResponsePort(3478), id="response-port"),
        pytest.param("0d96", ResponsePort(3478), id="response-port-without-padding"),
    ],
)
def test_reserved_bits_are_ignored(value: str, expected: Attribute) -> None:
    assert type(expected).decode(bytes.fromhex(value), ID) == expected


@pytest.mark.requirement("stun-turn:COD-ADDR-02")
@pytest.mark.parametrize(
    "cls", [MappedAddress, XorMappedAddress, XorPeerAddress, XorRelayedAddress, AlternateServer]
)
@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty"),
        pytest.param("00", id="one-byte"),
        pytest.param("00010000", id="no-address"),
        pytest.param("00018055c00002", id="7-bytes"),
        pytest.param("00018055c000020100", id="9-bytes"),
        pytest.param("0001" + "00" * 18, id="ipv4-in-20-bytes"),
        pytest.param("0002" + "00" * 6, id="ipv6-in-8-bytes"),
        pytest.param("0002" + "00" * 17, id="19-bytes"),
        pytest.param("0002" + "00" * 19, id="21-bytes"),
        pytest.param("0000" + "00" * 6, id="family-0"),
        pytest.param("0003" + "00" * 6, id="family-3"),
        pytest.param("00ff" + "00" * 18, id="family-255"),
    ],
)
def test_an_address_whose_family_and_length_disagree_is_refused(
    cls: type[Attribute], value: str
) -> None:
    with pytest.raises(DecodeError):
        cls.decode(bytes.fromhex(value), ID)


@pytest.mark.requirement("stun-turn:COD-TXT-07")
@pytest.mark.parametrize("cls", [ErrorCode, AddressErrorCode])
@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty"),
        pytest.param("000004", id="3-bytes"),
        pytest.param("00000000", id="class-0"),
        pytest.param("00000163", id="class-1"),
        pytest.param("00000200", id="class-2"),
        pytest.param("00000700", id="class-7"),
        pytest.param("00000464", id="number-100"),
        pytest.param("000004ff", id="number-255"),
        pytest.param("00000400c080", id="overlong-utf-8"),
        pytest.param("00000400eda080", id="surrogate"),
        pytest.param("00000400" + "61" * 128, id="128-characters"),
        pytest.param("00000400" + "61" * 764, id="764-bytes"),
    ],
)
def test_an_illegible_error_code_is_refused(cls: type[Attribute], value: str) -> None:
    with pytest.raises(DecodeError):
        cls.decode(bytes.fromhex(value), ID)


@pytest.mark.requirement("stun-turn:COD-TXT-01")
def test_a_username_is_sent_up_to_508_bytes_and_read_up_to_763() -> None:
    assert len(Username("u" * 508).encode(ID)) == 508
    with pytest.raises(ValueError, match="508"):
        Username("u" * 509).encode(ID)
    assert Username.decode(b"u" * 763, ID) == Username("u" * 763)
    with pytest.raises(DecodeError):
        Username.decode(b"u" * 764, ID)


@pytest.mark.requirement("stun-turn:COD-TXT-04")
@pytest.mark.requirement("stun-turn:COD-TXT-05")
@pytest.mark.requirement("stun-turn:COD-TXT-06")
@pytest.mark.parametrize("cls", [Realm, Nonce, Software])
def test_short_text_has_at_most_127_characters_of_any_width(
    cls: type[Realm] | type[Nonce] | type[Software],
) -> None:
    widest = "\U0001f9ca" * 127

    assert cls.decode(cls(widest).encode(ID), ID) == cls(widest)
    with pytest.raises(ValueError, match="127"):
        cls("a" * 128)
    with pytest.raises(DecodeError):
        cls.decode(b"a" * 128, ID)
    with pytest.raises(DecodeError):
        cls.decode(b"a" * 764, ID)


@pytest.mark.parametrize(
    "cls", [Username, Realm, Nonce, Software, Origin, ThirdPartyAuthorization, AlternateDomain]
)
@pytest.mark.parametrize("value", [b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"a\xff"])
def test_text_that_is_not_utf_8_is_refused(cls: type[Attribute], value: bytes) -> None:
    with pytest.raises(DecodeError):
        cls.decode(value, ID)


@pytest.mark.requirement("stun-turn:COD-TXT-10")
def test_an_alternate_domain_has_at_most_255_ascii_characters() -> None:
    assert AlternateDomain.decode(b"a" * 255, ID) == AlternateDomain("a" * 255)
    for wrong in ("a" * 256, "b\u00fccher.example"):
        with pytest.raises(ValueError, match="ASCII"):
            AlternateDomain(wrong)
        with pytest.raises(DecodeError):
            AlternateDomain.decode(wrong.encode(), ID)


@pytest.mark.requirement("stun-turn:COD-MI-03")
@pytest.mark.parametrize("size", [0, 12, 15, 18, 33, 36])
def test_a_sha256_digest_of_a_wrong_size_is_refused(size: int) -> None:
    with pytest.raises(DecodeError):
        MessageIntegritySha256.decode(bytes(size), ID)
    with pytest.raises(ValueError, match="16 to 32"):
        MessageIntegritySha256(bytes(size))


@pytest.mark.requirement("stun-turn:COD-TXT-09")
@pytest.mark.parametrize(
    ("cls", "value"),
    [
        pytest.param(PasswordAlgorithms, "00", id="one-byte"),
        pytest.param(PasswordAlgorithms, "000100", id="odd"),
        pytest.param(PasswordAlgorithms, "00010005", id="parameters-beyond-the-end"),
        pytest.param(PasswordAlgorithms, "0001000000", id="a-byte-too-many"),
        pytest.param(PasswordAlgorithm, "", id="no-entry"),
        pytest.param(PasswordAlgorithm, "0001000000020000", id="two-entries"),
    ],
)
def test_a_malformed_list_of_algorithms_is_refused(cls: type[Attribute], value: str) -> None:
    with pytest.raises(DecodeError):
        cls.decode(bytes.fromhex(value), ID)


def test_the_last_parameters_may_come_without_their_padding() -> None:
    entry = AlgorithmParameters(9, b"abcde")

    assert PasswordAlgorithm.decode(b"\0\x09\0\x05abcde", ID) == PasswordAlgorithm(entry)


def test_unknown_attributes_of_an_odd_size_are_refused() -> None:
    with pytest.raises(DecodeError):
        UnknownAttributes.decode(b"\x7f\xff\0", ID)


@pytest.mark.parametrize("size", [0, 1, 3, 5, 8])
def test_a_response_port_has_2_or_4_bytes(size: int) -> None:
    with pytest.raises(DecodeError):
        ResponsePort.decode(bytes(size), ID)


@pytest.mark.parametrize(
    ("cls", "arguments"),
    [
        pytest.param(Priority, (-1,), id="priority-negative"),
        pytest.param(Priority, (2**32,), id="priority"),
        pytest.param(IceControlled, (2**64,), id="ice-controlled"),
        pytest.param(IceControlling, (-1,), id="ice-controlling"),
        pytest.param(ChannelNumber, (0x10000,), id="channel-number"),
        pytest.param(Lifetime, (2**32,), id="lifetime"),
        pytest.param(RequestedAddressFamily, (256,), id="requested-address-family"),
        pytest.param(AdditionalAddressFamily, (-1,), id="additional-address-family"),
        pytest.param(RequestedTransport, (256,), id="requested-transport"),
        pytest.param(ReservationToken, (b"1234567",), id="reservation-token"),
        pytest.param(AddressErrorCode, (256, 440), id="address-error-family"),
        pytest.param(AddressErrorCode, (1, 200), id="address-error-code"),
        pytest.param(Icmp, (256, 0), id="icmp-type"),
        pytest.param(Icmp, (0, 256), id="icmp-code"),
        pytest.param(Icmp, (0, 0, 2**32), id="icmp-data"),
        pytest.param(ErrorCode, (299,), id="error-code-299"),
        pytest.param(ErrorCode, (700,), id="error-code-700"),
        pytest.param(ErrorCode, (400, "a" * 128), id="reason"),
        pytest.param(ErrorCode, (400, "\ud800"), id="reason-without-utf-8"),
        pytest.param(Username, ("u" * 764,), id="username"),
        pytest.param(Username, ("\ud800",), id="username-without-utf-8"),
        pytest.param(Userhash, (bytes(31),), id="userhash"),
        pytest.param(MessageIntegrity, (bytes(21),), id="message-integrity"),
        pytest.param(Fingerprint, (2**32,), id="fingerprint"),
        pytest.param(AlgorithmParameters, (0x10000,), id="algorithm"),
        pytest.param(AlgorithmParameters, (1, bytes(0x10000)), id="parameters"),
        pytest.param(UnknownAttributes, ((0x10000,),), id="unknown-attributes"),
        pytest.param(UnknownAttributes, ((1,) * 0x8000,), id="too-many-unknown-attributes"),
        pytest.param(UnknownAttribute, (0x10000, b""), id="unknown-attribute-type"),
        pytest.param(UnknownAttribute, (1, bytes(0x10000)), id="unknown-attribute-value"),
        pytest.param(Data, (bytes(0x10000),), id="data"),
        pytest.param(Padding, (bytes(0x10000),), id="padding"),
        pytest.param(CacheTimeout, (bytes(0x10000),), id="cache-timeout"),
        pytest.param(MobilityTicket, (bytes(0x10000),), id="mobility-ticket"),
        pytest.param(AccessToken, (bytes(0x10000),), id="access-token"),
        pytest.param(ResponsePort, (0x10000,), id="response-port"),
        pytest.param(ConnectionId, (2**32,), id="connection-id"),
        pytest.param(TransactionTransmitCounter, (256, 0), id="requests"),
        pytest.param(TransactionTransmitCounter, (0, 256), id="responses"),
        pytest.param(EcnCheck, (4,), id="ecn-check"),
        pytest.param(Origin, ("a" * 764,), id="origin"),
        pytest.param(ThirdPartyAuthorization, ("a" * 764,), id="server-name"),
    ],
)
def test_a_constructor_refuses_what_cannot_be_written(
    cls: type[object], arguments: tuple[object, ...]
) -> None:
    with pytest.raises(ValueError, match=r"."):
        cls(*arguments)


@pytest.mark.parametrize(
    ("number", "phrase"),
    [
        (ErrorNumber.STALE_NONCE, "Stale Nonce"),
        (ErrorNumber.ADDRESS_FAMILY_NOT_SUPPORTED, "Address Family not Supported"),
        (ErrorNumber.CONNECTION_TIMEOUT_OR_FAILURE, "Connection Timeout or Failure"),
    ],
)
def test_an_error_number_comes_with_its_registered_phrase(number: ErrorNumber, phrase: str) -> None:
    assert ErrorCode.of(number) == ErrorCode(int(number), phrase)


def test_an_access_token_does_not_show_in_repr() -> None:
    assert "secret" not in repr(AccessToken(b"secret"))


def test_the_family_of_an_address_is_its_number() -> None:
    assert (AddressFamily.of(V4), AddressFamily.of(V6)) == (1, 2)
