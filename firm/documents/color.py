"""The firm's color, made dark enough to be read on white paper."""

from __future__ import annotations

import re

PLAIN = "#1f3a5f"
"""Used where the figures name no color that can be read."""
CONTRAST = 4.5
"""The least that WCAG 2.2 (1.4.3, level AA) asks between text and paper."""

_HEX = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)


def readable(color: object) -> str:
    """The color as #rrggbb, darkened step by step until text in it stands out from white."""
    if not isinstance(color, str) or _HEX.fullmatch(color) is None:
        return PLAIN
    channels = [int(color[at : at + 2], 16) for at in (1, 3, 5)]
    while _contrast_with_white(channels) < CONTRAST:
        channels = [channel * 19 // 20 for channel in channels]
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def _contrast_with_white(channels: list[int]) -> float:
    """The contrast ratio of WCAG 2.2, from 1 (white) to 21 (black)."""
    red, green, blue = (_linear(channel / 255) for channel in channels)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
