"""All figures, one after the other, each against its peer in the same run.

    make bench
    python -m benchmarks [--rounds 5] [--only media]

Rows come in the order of what they are about: relay, STUN, ICE, SDP, media, signaling. A
part that does not exist, or whose script has not been written, is ``not built``; a peer that is
not installed is named. The figures of one machine mean little; the ratios are what counts.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import importlib.util
import subprocess
import sys

from .table import NAME_WIDTH

RELAY_SECONDS = "0.5"
"""A second each would make the relay's rows alone take minutes."""


@dataclasses.dataclass(frozen=True, slots=True)
class Script:
    """A module of this package with rows(rounds), or, printing its own, to be run."""

    name: str
    module: str
    arguments: tuple[str, ...] | None = None


SCRIPTS = (
    Script("relay: CPU per packet, fairness", "relay", ("--seconds", RELAY_SECONDS)),
    Script("relay over IPv6, with indications, TCP, TLS", "relay.transports"),
    Script("relay: round trip", "relay.latency"),
    Script("relay with offload", "relay_offload"),
    Script("relay: two workers against one", "relay_workers"),
    Script("STUN Binding responses per CPU second", "relay.binding"),
    Script("relay: authenticated Allocate", "relay.allocate"),
    Script("relay: memory per allocation", "relay.memory"),
    Script("connectivity check", "bench_stun_codec"),
    Script("ICE time to valid pair, simulated", "ice_time"),
    Script("SDP parse of a browser offer", "bench_sdp_parse"),
    Script("SDP exact round trip over a corpus", "sdp_corpus"),
    Script("media fan-out to 10 viewers", "media.fan_out"),
    Script("media: paced viewers per core", "media.paced"),
    Script("media receive path", "media.receive"),
    Script("media: 10 raw viewers", "media.raw_viewers"),
    Script("media: master that encodes, 10 viewers beside 1", "media.ten_viewers"),
    Script("media: first picture", "media.first_picture"),
    Script("signaling: messages per CPU second", "signaling"),
)


def run(script: Script, rounds: int) -> None:
    module = f"{__package__}.{script.module}"
    if importlib.util.find_spec(module) is None:
        print(f"{script.name:<{NAME_WIDTH}}not built", flush=True)
    elif script.arguments is not None:
        command = [sys.executable, "-m", module, "--rounds", str(rounds), *script.arguments]
        if subprocess.run(command, check=False).returncode:
            print(f"{script.name:<{NAME_WIDTH}}failed: see above", flush=True)
    else:
        try:
            for row in importlib.import_module(module).rows(rounds):
                print(row, flush=True)
        except ImportError as error:
            print(f"{script.name:<{NAME_WIDTH}}not measured: {error}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often each side is measured")
    parser.add_argument("--only", default="", help="scripts whose name has this in it")
    options = parser.parse_args()
    for script in SCRIPTS:
        if options.only in script.name:
            run(script, options.rounds)


if __name__ == "__main__":
    main()
