"""What STUN, TURN, ICE, SDP and media are required to do, as rows with stable ids.

Start with ``load``: it reads one catalogue out of the folder of that name. Tests name the
rows that they show; ``make requirements`` counts them.
"""

from .requirements import CATALOGUES, Group, Requirement, load

__all__ = ["CATALOGUES", "Group", "Requirement", "load"]
