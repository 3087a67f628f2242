"""`STFTSpectrogram`: spectra of overlapping frames of a signal."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Layer, Shape
from scratch_forward.layers.options import (
    boolean,
    data_format_option,
    one_of,
    optional_positive,
    positive,
)

MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")
_LEAST = 1e-7  # Keras's epsilon, below which magnitudes are not told apart


class STFTSpectrogram(Layer):
    """The short-time Fourier transform of signals, by products of frames with stored kernels.

    Shapes: signals `(N, T, C)` to `(N, frames, C * bins)`, or with `expand_dims` to `(N, frames,
    bins, C)`. With `"channels_first"`, `(N, C, T)` to `(N, C * bins, frames)` or `(N, C, frames,
    bins)`. There are `fft_length // 2 + 1` bins, twice as many in the mode `"stft"`. The kernels
    are `(frame_length, 1, bins)`, and contain the window and the scaling.

    Source: `keras.layers.STFTSpectrogram` of Keras 3.

    Args:
        mode: `"log"` (of the magnitude), `"magnitude"`, `"psd"`, `"real"`, `"imag"`, `"angle"`, or
            `"stft"` for the real and imaginary parts.
        frame_length: Number of samples in a frame.
        frame_step: Samples from one frame to the next. Defaults to half a frame.
        fft_length: Number of samples that are transformed. Defaults to the next power of 2.
        window: Ignored. Part of the kernels.
        periodic: Ignored. Part of the kernels.
        scaling: Ignored. Part of the kernels.
        padding: `"valid"` or `"same"`.
        expand_dims: Whether bins and channels are separate axes.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
    """

    call_arguments = ("inputs",)

    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: Any = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: str | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.mode = one_of("mode", mode, MODES)
        self.frame_length = positive("frame_length", frame_length)
        step = optional_positive("frame_step", frame_step)
        self.frame_step = step or max(self.frame_length // 2, 1)
        size = optional_positive("fft_length", fft_length)
        self.fft_length = size or 2 ** math.ceil(math.log2(self.frame_length))
        if self.frame_step > self.frame_length:
            raise InvalidOption("frame_step", frame_step, "at most frame_length")
        if self.fft_length < self.frame_length:
            raise InvalidOption("fft_length", fft_length, "at least frame_length")
        self.padding = one_of("padding", padding, ("valid", "same"))
        self.expand_dims = boolean("expand_dims", expand_dims)
        self.data_format = data_format_option(data_format)

    @property
    def _bins(self) -> int:
        return self.fft_length // 2 + 1

    def weight_shapes(self, _input_shape: Shape) -> dict[str, Any]:
        """Return the shapes of the kernels that the mode needs."""
        kernel = (self.frame_length, 1, self._bins)
        names = {"imag": ["imag_kernel"], "real": ["real_kernel"]}
        return dict.fromkeys(names.get(self.mode, ["real_kernel", "imag_kernel"]), kernel)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the spectra."""
        first = self.data_format == "channels_first"
        batch, steps, channels = (input_shape[i] for i in ((0, 2, 1) if first else (0, 1, 2)))
        bins = self._bins * (2 if self.mode == "stft" else 1)
        frames = None if steps is None else self._frames(steps)[0]
        if self.expand_dims:
            return (batch, channels, frames, bins) if first else (batch, frames, bins, channels)
        wide = None if channels is None else channels * bins
        return (batch, wide, frames) if first else (batch, frames, wide)

    def _frames(self, steps: int) -> tuple[int, int]:
        """Return the number of frames, and the number of samples that padding adds."""
        if self.padding == "valid":
            return max((steps - self.frame_length) // self.frame_step + 1, 0), 0
        count = -(-steps // self.frame_step)
        return count, max((count - 1) * self.frame_step + self.frame_length - steps, 0)

    def call(self, inputs: Array) -> Array:
        """Transform every channel."""
        signals = inputs if self.data_format == "channels_first" else inputs.swapaxes(1, 2)
        spectra = self._spectra(signals)
        if self.expand_dims:
            first = self.data_format == "channels_first"
            return spectra if first else spectra.transpose(0, 2, 3, 1)
        batch, channels, frames, bins = spectra.shape
        flat = spectra.swapaxes(2, 3).reshape(batch, channels * bins, frames)
        return flat if self.data_format == "channels_first" else flat.swapaxes(1, 2)

    def _spectra(self, signals: Array) -> Array:
        """Map signals `(N, C, T)` to what the mode asks for, `(N, C, frames, bins)`."""
        frames = self._cut(signals)
        parts = {name: frames @ kernel[:, 0] for name, kernel in self.weights.items()}
        if self.mode in ("real", "imag"):
            return next(iter(parts.values()))
        real, imag = parts["real_kernel"], parts["imag_kernel"]
        if self.mode == "angle":
            return np.arctan2(imag, real)
        if self.mode == "stft":
            return np.concatenate([real, imag], axis=-1)
        power = np.square(real) + np.square(imag)
        if self.mode == "psd":
            power[..., 1:-1] *= 2  # bins that stand for a negative frequency as well
            return power
        least = self.dtype.type(_LEAST)
        magnitude = np.sqrt(np.maximum(power, least))
        return magnitude if self.mode == "magnitude" else np.log(np.maximum(magnitude, least))

    def _cut(self, signals: Array) -> Array:
        """Return the frames `(N, C, frames, frame_length)` of signals `(N, C, T)`."""
        count, missing = self._frames(signals.shape[2])
        if count == 0:
            raise ValueError(
                f"Layer {self.name!r} takes at least {self.frame_length} samples, got "
                f"{signals.shape[2]}."
            )
        around = [(0, 0), (0, 0), (missing // 2, missing - missing // 2)]
        padded = np.pad(signals, around) if missing else signals
        frames = np.lib.stride_tricks.sliding_window_view(padded, self.frame_length, axis=2)
        return np.ascontiguousarray(frames[:, :, :: self.frame_step][:, :, :count])
