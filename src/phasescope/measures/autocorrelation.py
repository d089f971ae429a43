"""Products of a series with itself at all lags up to a largest one, block by block, by short Fourier transforms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

FloatArray = NDArray[np.float64]
FFT_LENGTH = 8192  # transforms of this length stay in the cache; one of the whole series would not


@dataclass(frozen=True, slots=True)
class LaggedSums:
    """Sums over the pairs (x_t, x_{t + k}) whose first member lies in a block, for k = 0 … max_lag.

    The series is measured from its mean. Sums over any set of blocks are sums of these.
    """

    n_pairs: FloatArray  # (n_blocks,)
    first: FloatArray  # (n_blocks,) Σ x_t
    square: FloatArray  # (n_blocks,) Σ x_t²
    second: FloatArray  # (n_blocks, max_lag + 1) Σ x_{t + k}
    product: FloatArray  # (n_blocks, max_lag + 1) Σ x_t x_{t + k}


def lagged_sums(series: FloatArray, *, max_lag: int, block: int) -> LaggedSums:
    """Sums behind regressions of x_{t + k} on x_t.

    A transform of the whole series would mix everything with everything; with lags far shorter than the series, short
    ones do the same sums in the cache, and each block's own sums come for nothing. The last `max_lag` samples are
    second members only, so every lag has the same first members.

    Args:
        series: Shape `(n,)`, n > max_lag.
        max_lag: Largest k.
        block: Samples per block; the last block may be shorter, but not by more than half.

    Returns:
        The sums per block.
    """
    x = series - series.mean()
    n_first = x.size - max_lag
    n_blocks = max(1, round(n_first / block))
    edges = np.linspace(0, n_first, n_blocks + 1).astype(np.int64)
    length = next_fast_len(min(max(FFT_LENGTH, 2 * max_lag), int(np.diff(edges).max()) + max_lag), real=True)
    reach = length - max_lag
    product = np.zeros((n_blocks, max_lag + 1))
    total = np.concatenate(([0.0], np.cumsum(x)))
    squares = np.concatenate(([0.0], np.cumsum(x * x)))
    for i in range(n_blocks):
        spectrum = np.zeros(length // 2 + 1, dtype=np.complex128)
        for start in range(int(edges[i]), int(edges[i + 1]), reach):
            stop = min(start + reach, int(edges[i + 1]))
            spectrum += np.conj(rfft(x[start:stop], length)) * rfft(x[start : stop + max_lag], length)
        product[i] = irfft(spectrum, length)[: max_lag + 1]
    lags = np.arange(max_lag + 1)
    return LaggedSums(
        n_pairs=np.diff(edges).astype(np.float64),
        first=np.diff(total[edges]),
        square=np.diff(squares[edges]),
        second=total[edges[1:, None] + lags] - total[edges[:-1, None] + lags],
        product=product,
    )


def regression_slopes(sums: LaggedSums, weights: FloatArray | None = None) -> FloatArray:
    """Slopes r_k of the regression of x_{t + k} on x_t, k = 0 … max_lag.

    Args:
        sums: From `lagged_sums`.
        weights: How often each block counts, shape `(n_draws, n_blocks)`; by default each once.

    Returns:
        Shape `(max_lag + 1,)`, or `(n_draws, max_lag + 1)` with weights.
    """
    counts = np.ones((1, sums.n_pairs.size)) if weights is None else weights
    n = (counts @ sums.n_pairs)[:, None]
    first, square = (counts @ sums.first)[:, None], (counts @ sums.square)[:, None]
    second, product = counts @ sums.second, counts @ sums.product
    slopes = (product - first * second / n) / (square - first**2 / n)
    return np.asarray(slopes[0] if weights is None else slopes)
