"""Whether the packages that were found are ours.

Their names are generic: another distribution in the same environment could bring a
``stun`` of its own and overwrite or hide this one.
"""

from __future__ import annotations

import importlib.util
import pathlib

from .errors import HairpinError

PACKAGES = ("transport", "stun", "turn", "ice", "sdp", "signaling", "media")


def check_packages() -> None:
    """Make sure that every layer lies beside this package.

    Raises:
        HairpinError: one is missing, or comes from somewhere else.
    """
    home = pathlib.Path(__file__).resolve().parent.parent
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        origin = pathlib.Path(spec.origin).resolve() if spec and spec.origin else None
        if origin is None or origin.parent.parent != home:
            found = origin.parent if origin else "nowhere"
            raise HairpinError(
                f"the package {name!r} is not hairpin's own (found: {found}): another distribution "
                "uses that name; install hairpin into an environment of its own"
            )
