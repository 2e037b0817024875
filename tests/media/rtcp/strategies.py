"""Every kind of RTCP packet, as hypothesis makes them."""

from __future__ import annotations

from hypothesis import strategies as st

from media.rtcp import (
    App,
    FullIntraRequest,
    FullIntraRequestEntry,
    Goodbye,
    PictureLossIndication,
    ReceiverEstimatedMaximumBitrate,
    ReceiverReport,
    ReportBlock,
    SdesChunk,
    SdesItem,
    SenderReport,
    SourceDescription,
    TransportFeedback,
    UnknownRtcp,
)

uint8 = st.integers(0, 0xFF)
uint16 = st.integers(0, 0xFFFF)
uint32 = st.integers(0, 0xFFFFFFFF)
words = st.binary(max_size=4).map(lambda word: word * 4)

report_blocks = st.builds(
    ReportBlock,
    ssrc=uint32,
    fraction_lost=uint8,
    cumulative_lost=st.integers(-(1 << 23), (1 << 23) - 1),
    highest_sequence_number=uint32,
    jitter=uint32,
    last_sr=uint32,
    delay_since_last_sr=uint32,
)
block_lists = st.lists(report_blocks, max_size=4).map(tuple)
sender_reports = st.builds(
    SenderReport,
    ssrc=uint32,
    ntp_timestamp=st.integers(0, (1 << 64) - 1),
    rtp_timestamp=uint32,
    packet_count=uint32,
    octet_count=uint32,
    reports=block_lists,
    profile_extension=words,
)
receiver_reports = st.builds(
    ReceiverReport, ssrc=uint32, reports=block_lists, profile_extension=words
)
items = st.builds(SdesItem, st.integers(1, 255), st.binary(max_size=255))
descriptions = st.builds(
    SourceDescription,
    st.lists(st.builds(SdesChunk, uint32, st.lists(items, max_size=4).map(tuple)), max_size=4).map(
        tuple
    ),
)
goodbyes = st.builds(Goodbye, st.lists(uint32, max_size=31).map(tuple), st.text(max_size=60))
apps = st.builds(App, uint32, st.binary(min_size=4, max_size=4), words, subtype=st.integers(0, 31))
indications = st.builds(PictureLossIndication, uint32, uint32)
intra_requests = st.builds(
    FullIntraRequest,
    uint32,
    st.lists(st.builds(FullIntraRequestEntry, uint32, uint8), max_size=4).map(tuple),
)
bitrates = st.builds(
    lambda mantissa, exponent: mantissa << exponent,
    st.integers(1 << 17, (1 << 18) - 1),
    st.integers(0, 63),
) | st.integers(0, (1 << 18) - 1)
estimates = st.builds(
    ReceiverEstimatedMaximumBitrate, uint32, bitrates, st.lists(uint32, max_size=5).map(tuple)
)
deltas = st.one_of(
    st.none(), st.integers(0, 255), st.integers(-(1 << 15), (1 << 15) - 1), st.just(4)
)
# Runs, so that every kind of chunk is used.
delta_runs = st.lists(st.tuples(deltas, st.integers(1, 30)), min_size=1, max_size=12).map(
    lambda runs: tuple(delta for delta, count in runs for _ in range(count))
)
transport_feedback = st.builds(
    TransportFeedback,
    sender_ssrc=uint32,
    media_ssrc=uint32,
    base_sequence_number=uint16,
    reference_time=st.integers(-(1 << 23), (1 << 23) - 1),
    feedback_count=uint8,
    deltas=delta_runs,
)
unknown = st.builds(UnknownRtcp, st.sampled_from([195, 207, 223]), st.integers(0, 31), words)

packets = st.one_of(
    sender_reports,
    receiver_reports,
    descriptions,
    goodbyes,
    apps,
    indications,
    intra_requests,
    estimates,
    transport_feedback,
    unknown,
)
