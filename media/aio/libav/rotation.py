"""Turning pictures of cameras that were held upright."""

from __future__ import annotations

from fractions import Fraction

from av.filter import Graph
from av.video.frame import VideoFrame

_FILTERS = {
    90: (("transpose", "cclock"),),
    -90: (("transpose", "clock"),),
    180: (("hflip", ""), ("vflip", "")),
    -180: (("hflip", ""), ("vflip", "")),
}
"""By the degrees, counterclockwise, that FFmpeg names."""

_TICK = Fraction(1, 90_000)
"""What the filters count in matters to nobody: the times are kept beside them."""


class Rotator:
    """Turns pictures as their container asks for."""

    def __init__(self) -> None:
        self._graph: Graph | None = None
        self._made_for: tuple[int, int, int, str] | None = None

    def upright(self, frame: VideoFrame) -> VideoFrame:
        """The frame as it is to be shown; one that is upright is given back itself."""
        rotation = rotation_of(frame)
        if not rotation:
            return frame
        wanted = (rotation, frame.width, frame.height, frame.format.name)
        if self._graph is None or self._made_for != wanted:
            self._graph, self._made_for = _graph(rotation, frame), wanted
        pts, time_base = frame.pts, frame.time_base
        self._graph.push(frame)
        turned = self._graph.pull()
        assert isinstance(turned, VideoFrame)
        turned.pts = pts
        if time_base is not None:
            turned.time_base = time_base
        return turned


def rotation_of(frame: VideoFrame) -> int:
    """In degrees, counterclockwise: a multiple of 90, others are shown as they are."""
    rotation = frame.rotation
    return rotation if rotation in _FILTERS else 0


def _graph(rotation: int, frame: VideoFrame) -> Graph:
    graph = Graph()
    last = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=_TICK
    )
    for name, arguments in _FILTERS[rotation]:
        following = graph.add(name, arguments)
        last.link_to(following)
        last = following
    last.link_to(graph.add("buffersink"))
    graph.configure()
    return graph
