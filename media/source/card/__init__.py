"""The test card: a moving picture and a tone for those who have no film at hand.

``CardPicture`` draws, ``CardTone`` sounds; both make raw bytes and know no clock. What
plays them is ``media.aio.card_feed``.
"""

from .picture import FRAME_RATE, HEIGHT, WIDTH, CardPicture
from .tone import BLOCK_SAMPLES, SAMPLE_RATE, CardTone

__all__ = [
    "BLOCK_SAMPLES",
    "FRAME_RATE",
    "HEIGHT",
    "SAMPLE_RATE",
    "WIDTH",
    "CardPicture",
    "CardTone",
]
