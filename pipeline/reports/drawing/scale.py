"""From numbers to pixels, with round numbers to mark on the way."""

import math
from dataclasses import dataclass

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_FEWEST, _TRIED = 3, 12  # ticks


@dataclass(frozen=True)
class Scale:
    """A linear map.

    Attributes:
        low: the number at `start`.
        high: the number at `end`.
        start: a place in pixels.
        end: another; before `start` for a scale that rises upwards.
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The place of a number, in pixels."""
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int, whole: bool = False) -> list[float]:
        """Round numbers between both ends.

        Args:
            most: how many at most; a few more where there would be less than three.
            whole: only whole numbers, which may be fewer.
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
    """A tick's number with as many decimals as its neighbours need, and a true minus sign."""
    step = ticks[1] - ticks[0] if len(ticks) > 1 else value or 1.0
    decimals = next((d for d in range(7) if abs(round(step, d) - step) < 1e-9 * abs(step)), 6)
    return f"{value + 0.0:.{decimals}f}".replace("-", "−")
