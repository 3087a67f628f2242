"""Maps numbers to pixels, and chooses round numbers for ticks."""

import math
from dataclasses import dataclass

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_FEWEST, _TRIED = 3, 12  # ticks: the fewest wanted, and how far `most` is raised for them


@dataclass(frozen=True)
class Scale:
    """A linear map from numbers to pixels."""

    low: float  # the number at `start`
    high: float  # the number at `end`
    start: float  # a position in pixels
    end: float  # a position in pixels; below `start` for a scale that rises upwards

    def __call__(self, value: float) -> float:
        """Return the position of a number, in pixels."""
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int, whole: bool = False) -> list[float]:
        """Return round numbers within the scale.

        Args:
            most: maximum number of ticks; exceeded slightly where there would be fewer than three.
            whole: return whole numbers only, of which there may be fewer.
        """
        found = self._multiples(_step(self.high - self.low, most, whole))
        while len(found) < _FEWEST and most < _TRIED:
            most += 1
            found = self._multiples(_step(self.high - self.low, most, whole))
        return found

    def _multiples(self, step: float) -> list[float]:
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def _step(reach: float, most: int, whole: bool) -> float:
    rough = max(reach, 1e-12) / max(most, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(round_one * power for round_one in _STEPS if round_one * power >= rough * 0.999)
    return max(1.0, math.ceil(step)) if whole else step


def tick_label(value: float, ticks: list[float]) -> str:
    """Format a tick with as many decimals as its neighbours need, and a true minus sign."""
    step = ticks[1] - ticks[0] if len(ticks) > 1 else value or 1.0
    decimals = next((d for d in range(7) if abs(round(step, d) - step) < 1e-9 * abs(step)), 6)
    return f"{value + 0.0:.{decimals}f}".replace("-", "−")
