"""What a peer may make us hold, and why so much (docs/dos.md has the rows)."""

from __future__ import annotations

MAX_TEXT = 64 * 1024
"""Characters of a description. A browser's offer with 10 sections has 30 thousand."""

MAX_MEDIA = 256
"""m= sections: far above any conference, and answers grow with their offer."""

MAX_ATTRIBUTES = 4096
"""a= lines in all sections together."""

MAX_DIAGNOSTICS = 100
"""Problems told of one description: a text of nothing but faults shall not cost memory."""

MAX_DIGITS = 256
"""Digits of a number that RFC 8866 leaves unbounded (o=, t=). Python's int() takes
quadratic time on long ones, and refuses above 4300."""

MAX_WAITING_CANDIDATES = 100
"""Trickled candidates kept while there is no remote description; RFC 8838 section 8.1
lets them come early. A real agent gathers about 20."""

MAX_REMOTE_CANDIDATES = 256
"""Candidates of one ICE generation handed on, from descriptions and messages; the
RFC 8445 section 6.1.2.5 checklist is limited to 100 pairs anyway."""
