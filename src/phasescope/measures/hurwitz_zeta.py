"""Hurwitz zeta function for compiled code: values and the moments of the logarithm it normalizes.

ζ(a, q) = Σ_{k ≥ 0} (q + k)^−a normalizes the discrete power law P(x) = x^−a / ζ(a, q), x = q, q + 1, … . Everything is
scaled by q^a, so that neither a large exponent nor a large q underflows. The sum is carried out until its argument
exceeds a + 12, the rest is the Euler–Maclaurin series [1] until its terms fall below 1e-17 of the sum.

References:
    [1] NIST Digital Library of Mathematical Functions, §25.11(iii), https://dlmf.nist.gov/25.11
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

# B_2r / (2r)! for r = 1 … 10
_COEFFICIENTS = (
    1 / 12,
    -1 / 720,
    1 / 30240,
    -1 / 1209600,
    1 / 47900160,
    -691 / 1307674368000,
    1 / 74724249600,
    -3617 / 10670622842880000,
    43867 / 5109094217170944000,
    -174611 / 802857662698291200000,
)
NEAR_POLE = 1e-7  # no exponent comes closer to 1, where only differences of zeta functions are finite


@njit(cache=True)
def scaled_zeta(a: float, q: float) -> float:
    """q^a ζ(a, q) for q > 0 and a > 1; for a ≤ 1 its analytic continuation, of which differences normalize.

    Example:
        >>> round(scaled_zeta(2.0, 1.0), 12)  # π²/6
        1.644934066848
    """
    total, factor, y = 0.0, 1.0, q
    while y < a + 12.0:
        total += factor
        y += 1.0
        factor = math.exp(-a * math.log(y / q))
    inverse = 1.0 / (y * y)
    bracket = y / (a - 1.0) + 0.5
    rising, power = a, 1.0 / y
    for r in range(10):
        term = _COEFFICIENTS[r] * rising * power
        bracket += term
        if abs(term) < 1e-17 * abs(bracket):
            break
        rising *= (a + 2 * r + 1.0) * (a + 2 * r + 2.0)
        power *= inverse
    return total + factor * bracket


@njit(cache=True)
def zeta_moments(a: float, q: float) -> tuple[float, float, float, float]:
    """q^a Σ_k (q + k)^−a ln((q + k)/q)^r for r = 0, 1, 2, 3: the zeta function and its first derivatives in a.

    Divided by the zeroth, they are the moments of ln(x/q) under the discrete power law from q.
    """
    return _moments(a, q, 1.0 / (a - 1.0))


@njit(cache=True)
def bounded_zeta_moments(a: float, q: float, end: float) -> tuple[float, float, float, float]:
    """The same sums over the integers q … `end`, finite or not; for a finite end, a may be any number."""
    if end == np.inf:
        return zeta_moments(a, q)
    if end - q < 64.0:
        m0, m1, m2, m3 = 0.0, 0.0, 0.0, 0.0
        for k in range(int(end - q) + 1):
            log = math.log((q + k) / q)
            factor = math.exp(-a * log)
            m0 += factor
            m1 += factor * log
            m2 += factor * log**2
            m3 += factor * log**3
        return m0, m1, m2, m3
    # Near a = 1 the sum's integral is taken between its ends, since the two that reach to infinity cancel there.
    near = abs(a - 1.0) < 0.01
    pole = 0.0 if near else 1.0 / (a - 1.0)
    m0, m1, m2, m3 = _moments(a, q, pole)
    t0, t1, t2, t3 = _moments(a, end + 1.0, pole)
    log = math.log((end + 1.0) / q)
    factor = math.exp(-a * log)
    m0 -= factor * t0
    m1 -= factor * (t1 + log * t0)
    m2 -= factor * (t2 + log * (2.0 * t1 + log * t0))
    m3 -= factor * (t3 + log * (3.0 * t2 + log * (3.0 * t1 + log * t0)))
    if near:
        start = math.log(max(q, q + math.ceil(a + 12.0 - q)) / q)
        m0 += q * (_power_integral(a - 1.0, log, 0) - _power_integral(a - 1.0, start, 0))
        m1 += q * (_power_integral(a - 1.0, log, 1) - _power_integral(a - 1.0, start, 1))
        m2 += q * (_power_integral(a - 1.0, log, 2) - _power_integral(a - 1.0, start, 2))
        m3 += q * (_power_integral(a - 1.0, log, 3) - _power_integral(a - 1.0, start, 3))
    return m0, m1, m2, m3


@njit(cache=True)
def _power_integral(rate: float, end: float, power: int) -> float:
    """∫₀^end e^(−rate·u) u^power du for |rate · end| of order one at most, by its series."""
    term, total = end ** (power + 1), 0.0
    for k in range(60):
        total += term / (k + power + 1)
        term *= -rate * end / (k + 1)
        if abs(term) < 1e-18 * abs(total):
            break
    return total


@njit(cache=True)
def _moments(a: float, q: float, pole: float) -> tuple[float, float, float, float]:
    """Sums to infinity; with pole = 0 in place of 1/(a − 1), without the integral that has the pole."""
    m0, m1, m2, m3 = 0.0, 0.0, 0.0, 0.0
    factor, log, y = 1.0, 0.0, q
    while y < a + 12.0:
        m0 += factor
        m1 += factor * log
        m2 += factor * log * log
        m3 += factor * log * log * log
        y += 1.0
        log = math.log(y / q)
        factor = math.exp(-a * log)
    # Euler–Maclaurin bracket g(a) and three derivatives; p is the rising factorial a(a + 1)… with its own.
    b = pole
    g0, g1, g2, g3 = y * b + 0.5, -y * b * b, 2.0 * y * b**3, -6.0 * y * b**4
    p0, p1, p2, p3 = a, 1.0, 0.0, 0.0
    inverse, power = 1.0 / (y * y), 1.0 / y
    for r in range(10):
        c = _COEFFICIENTS[r] * power
        g0 += c * p0
        g1 += c * p1
        g2 += c * p2
        g3 += c * p3
        if abs(c * p0) < 1e-17 * abs(g0) and abs(c * p3) < 1e-17 * abs(g3):
            break
        for shift in (2 * r + 1.0, 2 * r + 2.0):
            p3 = (a + shift) * p3 + 3.0 * p2
            p2 = (a + shift) * p2 + 2.0 * p1
            p1 = (a + shift) * p1 + p0
            p0 = (a + shift) * p0
        power *= inverse
    m0 += factor * g0
    m1 += factor * (log * g0 - g1)
    m2 += factor * (log * (log * g0 - 2.0 * g1) + g2)
    m3 += factor * (log * (log * (log * g0 - 3.0 * g1) + 3.0 * g2) - g3)
    return m0, m1, m2, m3


@njit(cache=True)
def log_survival(a: float, q: float, x: float) -> float:
    """Ln P(X ≥ x) under the discrete power law from q: ln ζ(a, x) − ln ζ(a, q)."""
    return -a * math.log(x / q) + math.log(scaled_zeta(a, x) / scaled_zeta(a, q))
