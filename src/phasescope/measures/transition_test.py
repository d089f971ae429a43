"""Is there a transition in a curve? The best sigmoid's gain over a parabola, against smooth trends with AR(1) noise.

The statistic is the largest drop in the generalized residual sum of squares when a sigmoid joins a parabola in time
(and the transitions already found), per unit of noise variance. Its null distribution is a parametric bootstrap from
the trend of bounded curvature that fits best. The autocorrelation is estimated with the best sigmoid in the model, anew
in every replicate, by restricted likelihood: residuals about a parabola alone would hold the transition and call it
noise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from phasescope.measures.autoregression import color, local_sd, rounding_variance, whiten
from phasescope.measures.sigmoid_dictionary import TINY, Dictionary
from phasescope.measures.sigmoids import apart_from, sigmoid, sigmoid_grid, tangents
from phasescope.measures.smooth_trend import bounded_curvature_fit, curvature_basis

FloatArray = NDArray[np.float64]
Shape = tuple[float, float]  # midpoint and width, in positions of the record
AUTOCORRELATIONS = np.tanh(np.arange(12) * 0.18)  # 0 … 0.96
PURSUED = (0, 3, 6, 9)  # indices of autocorrelations at which several sigmoids are tried: 0, 0.49, 0.79, 0.92
WIDTHS = (0.02, 0.05, 0.09, 0.14, 0.2, 0.27, 0.35)
COARSE_WIDTHS = (0.06, 0.2)
MAX_SIGMOIDS = 4  # of the noise estimate
NOISE_FLOOR = 0.005  # of the curve's range: finer structure is not trusted to be more than rounding of a smooth trend
LEAST_DEPARTURE = 0.04  # rms between the two fits, of the trend's range: a power law or an exponential stays below
LEAST_OF_WHOLE = 0.01  # the same, of the whole curve's range: what the shape of a transition already found may leave
SIGMOID_PENALTY = 3.0  # log-likelihood per sigmoid and ln n: twice Schwarz's for three parameters
MIN_FREE = 6  # degrees of freedom of the noise
BATCHES = (60, 140, 300, 499)  # replicates are drawn in batches until the answer is clear
CLEAR = 25  # replicates above the observed statistic after which p is read off (Besag & Clifford 1991)


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the test found: the best sigmoid of the grid and how surprising it is."""

    shape: Shape
    p_value: float
    large_enough: bool  # departs from the smooth trend by more than a trend somewhat outside the bound would
    rivals: tuple[Shape, ...]  # when several sigmoids fit much better than one: all of them


class TransitionTest:
    """The test on one record, `position` within [0, 1]; `known` are (midpoint, width) of those already found."""

    def __init__(self, position: FloatArray, known: Sequence[Shape] = ()) -> None:
        self.position = position
        self.known = np.column_stack(
            [np.empty((position.size, 0)), *(tangents(position, midpoint, width) for midpoint, width in known)]
        )
        self.basis = np.column_stack([np.ones_like(position), position, position**2, self.known])
        self.n_free = position.size - self.basis.shape[1] - 1
        self.midpoints, self.widths = apart_from(
            known, position, *sigmoid_grid(position, n_even=41, n_jumps=200, widths=WIDTHS)
        )
        midpoints, widths = apart_from(
            known, position, *sigmoid_grid(position, n_even=21, n_jumps=31, widths=COARSE_WIDTHS)
        )
        self._coarse_candidates = sigmoid(position[:, None], midpoints, widths)
        self._fine: dict[int, Dictionary] = {}

    @property
    def possible(self) -> bool:
        """Whether there is room for another transition and enough points to test it."""
        return self.n_free >= MIN_FREE and self.midpoints.size > 0 and self._coarse_candidates.shape[1] > 0

    @cached_property
    def coarse(self) -> list[Dictionary]:
        """A small dictionary per autocorrelation, for estimating it."""
        return [Dictionary(self.basis, self._coarse_candidates, float(phi)) for phi in AUTOCORRELATIONS]

    @cached_property
    def candidates(self) -> FloatArray:
        """The sigmoids the statistic is maximized over, shape `(n_samples, n_candidates)`."""
        return sigmoid(self.position[:, None], self.midpoints, self.widths)

    def fine(self, index: int) -> Dictionary:
        """The full dictionary at one autocorrelation of the grid."""
        if index not in self._fine:
            self._fine[index] = Dictionary(self.basis, self.candidates, float(AUTOCORRELATIONS[index]))
        return self._fine[index]

    def autocorrelation_index(self, series: FloatArray) -> NDArray[np.intp]:
        """Restricted-likelihood autocorrelation of each series, as an index into the grid, shape `(n_series,)`."""
        likelihoods = []
        for dictionary in self.coarse:
            total, drop, chosen = dictionary.best(series)
            spread = total - drop + self.n_free * rounding_variance(dictionary.autocorrelation)
            likelihoods.append(
                -0.5 * self.n_free * np.log(spread)
                + 0.5 * math.log(1.0 - dictionary.autocorrelation**2)
                - dictionary.log_determinant
                - np.log(dictionary.lengths[chosen])
            )
        indices: NDArray[np.intp] = np.argmax(np.array(likelihoods), axis=0)
        return indices

    def statistics(self, series: FloatArray, indices: NDArray[np.intp], floor: float) -> FloatArray:
        """Drop of the residual sum of squares per innovation variance, shape `(n_series,)`."""
        values = np.empty(series.shape[1])
        for index in np.unique(indices):
            members = indices == index
            dictionary = self.fine(int(index))
            total, drop, _ = dictionary.best(series[:, members])
            noise_floor = floor**2 * (1.0 - dictionary.autocorrelation**2)
            values[members] = drop / np.maximum((total - drop) / self.n_free, noise_floor)
        return values

    def noise(self, values: FloatArray) -> tuple[int, tuple[Shape, ...]]:
        """Autocorrelation index of the observed curve, and the sigmoids it took to see the noise alone.

        More than one sigmoid is admitted when the likelihood gains enough by it, for beside a second step the residuals
        of one sigmoid are no noise. With one, the index is estimated as in the replicates.
        """
        scores: dict[tuple[int, tuple[int, ...]], float] = {}
        for index in PURSUED:
            dictionary = self.fine(index)
            last = -math.inf
            for extra, state in enumerate(dictionary.pursue(values, MAX_SIGMOIDS)):
                spread = float(state.rest @ state.rest) + self.n_free * rounding_variance(dictionary.autocorrelation)
                score = (
                    -0.5 * (self.n_free - extra) * math.log(spread)
                    + 0.5 * math.log(1.0 - dictionary.autocorrelation**2)
                    - state.log_determinant
                    - SIGMOID_PENALTY * extra * math.log(values.size)
                )
                scores[index, state.chosen] = score
                if score < last:
                    break
                last = score
        index, chosen = max(scores, key=lambda key: scores[key])
        if len(chosen) == 1:
            index = int(self.autocorrelation_index(values[:, None])[0])
        return index, tuple((float(self.midpoints[pick]), float(self.widths[pick])) for pick in chosen)

    def run(self, values: FloatArray, *, n_bootstrap: int, rng: np.random.Generator) -> Candidate:
        """Test one curve.

        Args:
            values: Observations scaled to a range of one, shape `(n_samples,)`.
            n_bootstrap: Most replicates to draw.
            rng: Source of randomness for the replicates.

        Returns:
            The best candidate with its p-value.
        """
        index, picked = self.noise(values)
        dictionary = self.fine(index)
        phi = dictionary.autocorrelation
        _, drop, chosen = dictionary.best(values[:, None])
        best = int(chosen[0])
        rest = list(dictionary.pursue(values, len(picked)))[-1].rest

        design = np.column_stack([self.basis, self.candidates[:, best]])
        coefficients = np.linalg.lstsq(whiten(design, phi), whiten(values, phi), rcond=None)[0]
        curve = design @ coefficients
        trend_range = float(np.ptp(curve - self.known @ coefficients[3:-1]))
        floor = NOISE_FLOOR * float(np.ptp(curve))
        variance = max(float(rest @ rest) / (self.n_free - len(picked) + 1), floor**2 * (1.0 - phi**2), TINY)
        statistic = float(drop[0]) / variance

        null_curve = self.null_curve(values, phi, trend_range)
        departure = float(np.sqrt(np.mean((curve - null_curve) ** 2)))
        least = max(LEAST_DEPARTURE * trend_range, LEAST_OF_WHOLE * float(np.ptp(curve)))
        generating = self.unbiased(null_curve, math.sqrt(variance), phi, rng)
        loudness = local_sd(rest)
        innovations = rest / loudness
        loudness *= math.sqrt(variance / max(float(np.mean(rest**2)), TINY))
        exceeding, drawn, p_value = 0, 0, 1.0
        for batch in self._batches(n_bootstrap):
            noise = color(loudness[:, None] * rng.choice(innovations, (values.size, batch)), generating)
            replicates = null_curve[:, None] + noise
            above = self.statistics(replicates, self.autocorrelation_index(replicates), floor) >= statistic
            if exceeding + int(above.sum()) >= CLEAR and drawn + batch < n_bootstrap:
                position = int(np.flatnonzero(np.cumsum(above) == CLEAR - exceeding)[0])
                p_value = CLEAR / (drawn + position + 1)
                break
            exceeding += int(above.sum())
            drawn += batch
            p_value = (exceeding + 1) / (drawn + 1)
        return Candidate(
            shape=(float(self.midpoints[best]), float(self.widths[best])),
            p_value=p_value,
            large_enough=departure >= least,
            rivals=picked if len(picked) > 1 else (),
        )

    def null_curve(self, values: FloatArray, phi: float, trend_range: float) -> FloatArray:
        """The admitted smooth trend, plus the known transitions, that comes closest to the curve."""
        free = np.column_stack([self.basis[:, :2], self.known])
        curvature = curvature_basis(self.position)
        fixed, bends = bounded_curvature_fit(
            whiten(values, phi), whiten(free, phi), whiten(curvature, phi), curve_range=trend_range
        )
        curve: FloatArray = free @ fixed + curvature @ bends
        return curve

    def unbiased(self, curve: FloatArray, innovation_sd: float, estimate: float, rng: np.random.Generator) -> float:
        """Autocorrelation whose estimate is on average the observed one, one bootstrap step on Fisher's z scale."""
        draws = color(innovation_sd * rng.standard_normal((curve.size, 60)), estimate)
        estimates = np.arctanh(AUTOCORRELATIONS[self.autocorrelation_index(curve[:, None] + draws)])
        z = 2.0 * math.atanh(estimate) - float(estimates.mean())
        return math.tanh(min(max(z, 0.0), math.atanh(0.97)))

    @staticmethod
    def _batches(n_bootstrap: int) -> list[int]:
        sizes, left = [], n_bootstrap
        for size in (*BATCHES, n_bootstrap):
            sizes.append(min(size, left))
            left -= sizes[-1]
        return [size for size in sizes if size > 0]
