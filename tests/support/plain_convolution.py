"""Convolution and pooling by their definitions, summed in float64."""

import numpy as np


def reference(x, kernel, bias, strides=(1, 1), padding="valid", dilation=(1, 1), groups=1):
    """Convolve x (H, W, C, n) cell by cell; padding as ((top, bottom), (left, right)) too."""
    (kh, kw, per_group, filters), (height, width) = kernel.shape, x.shape[:2]
    reach = [(k - 1) * d + 1 for k, d in zip((kh, kw), dilation, strict=True)]
    if padding == "same":
        totals = [
            max((-(-size // s) - 1) * s + r - size, 0)
            for size, s, r in zip((height, width), strides, reach, strict=True)
        ]
        padding = tuple((total // 2, total - total // 2) for total in totals)
    elif padding == "valid":
        padding = ((0, 0), (0, 0))
    padded = np.pad(x.astype(np.float64), (*padding, (0, 0), (0, 0)))
    out_shape = [(padded.shape[i] - reach[i]) // strides[i] + 1 for i in (0, 1)]
    out = np.zeros((*out_shape, filters, x.shape[3]))
    for i, j in np.ndindex(*out_shape):
        top, left = i * strides[0], j * strides[1]
        patch = padded[
            top : top + reach[0] : dilation[0], left : left + reach[1] : dilation[1]
        ].reshape(kh, kw, groups, per_group, -1)
        by_group = kernel.reshape(kh, kw, per_group, groups, filters // groups)
        out[i, j] = np.einsum("abgcn,abcgf->gfn", patch, by_group).reshape(filters, -1)
    return out + (0 if bias is None else bias[:, None])


def pooled(y, kind, size):
    """Pool windows side by side, one by one."""
    height, width = y.shape[0] // size[0], y.shape[1] // size[1]
    reduce = np.max if kind == "max" else np.mean
    out = np.empty((height, width, *y.shape[2:]))
    for i, j in np.ndindex(height, width):
        window = y[i * size[0] : (i + 1) * size[0], j * size[1] : (j + 1) * size[1]]
        out[i, j] = reduce(window, axis=(0, 1))
    return out
