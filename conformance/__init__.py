"""What STUN, TURN, ICE, SDP and media are required to do, and what shows whether a server does.

The catalogues hold rows with stable ids (``load``); tests name the rows that they show, and
``make requirements`` counts them. Rows of STUN and TURN that can be shown from outside are
coroutine functions in ``conformance.rows``, which work with a ``Probe``: they send bytes that
this package builds itself (``building``), and judge those that come back (``reading``,
``checks``, ``expect``). ``conformance.aio.run`` runs them against a ``Target``. Rows about
clients are scripts in ``conformance.clients``, which ``conformance.aio.ClientServer`` plays.
"""

from .outcome import ConformanceError, Outcome, RowResult, TargetUnusable, Verdict
from .report import Report
from .requirements import CATALOGUES, Group, Requirement, load
from .row import Feature, Row, registered, row
from .survey import Survey
from .target import Credential, Target

__all__ = [
    "CATALOGUES",
    "ConformanceError",
    "Credential",
    "Feature",
    "Group",
    "Outcome",
    "Report",
    "Requirement",
    "Row",
    "RowResult",
    "Survey",
    "Target",
    "TargetUnusable",
    "Verdict",
    "load",
    "registered",
    "row",
]
