"""Where the data of each component goes, looked up once and not per datagram (section 12.1)."""

from __future__ import annotations

import dataclasses

from transport import Path

from .bases import Base
from .checklist import ValidPair
from .context import AgentContext, ComponentKey
from .restart import Generations


@dataclasses.dataclass(frozen=True, slots=True)
class Outlet:
    """A base, the path from it, and the pair whose consent lets us send there."""

    base: Base
    path: Path
    valid: ValidPair


class Outlets:
    """One outlet per component that can send."""

    def __init__(self, context: AgentContext) -> None:
        self._context = context
        self.by_component: dict[ComponentKey, Outlet] = {}

    def refresh(self, generations: Generations) -> None:
        """Follow the pairs that the generations send on now."""
        for key in self._context.component_keys():
            valid = generations.outlet(key)
            known = self.by_component.get(key)
            if valid is None:
                self.by_component.pop(key, None)
            elif known is None or known.valid is not valid or known.path is not valid.path:
                base = self._context.bases[valid.path.local]
                self.by_component[key] = Outlet(base, valid.path, valid)

    def clear(self) -> None:
        self.by_component.clear()
