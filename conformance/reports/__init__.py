"""What a run came to, for programs and people: each report is a function of a ``Report``.

``to_json``, ``to_junit``, ``to_html`` and ``to_pcapng`` give what is to be written to a file.
"""

from .html import to_html
from .json import to_json
from .junit import to_junit
from .pcapng import to_pcapng

__all__ = ["to_html", "to_json", "to_junit", "to_pcapng"]
