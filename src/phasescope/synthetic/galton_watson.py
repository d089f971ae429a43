"""Galton–Watson trees: avalanches in which every event causes others independently, with their exact laws."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from phasescope.measures.avalanches import Avalanches

Offspring = Literal["poisson", "geometric"]
OFFSPRING = ("poisson", "geometric")
MAX_GENERATIONS = 100_000
MAX_SIZE = 100_000_000


def galton_watson(
    n_trees: int,
    *,
    ratio: float = 1.0,
    offspring: Offspring = "poisson",
    max_generations: int = MAX_GENERATIONS,
    max_size: int = MAX_SIZE,
    profiles: bool = False,
    rng: np.random.Generator,
) -> Avalanches:
    """Draw trees from one ancestor each; size is the total progeny, duration the number of generations.

    Args:
        n_trees: Number of trees.
        ratio: Mean number of offspring; 1 is critical, and above it some trees never end.
        offspring: Law of the number of offspring.
        max_generations: Trees are cut after that many generations, and marked as censored.
        max_size: Trees are cut when they have that many individuals, and marked as censored.
        profiles: Keep the number of individuals per generation.
        rng: Source of randomness.

    Returns:
        The trees as avalanches.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> trees = galton_watson(10_000, rng=np.random.default_rng(0))
        >>> round(float((trees.sizes == 1).mean()), 1)  # exactly exp(−1)
        0.4
    """
    _check(ratio, offspring)
    if n_trees < 1 or max_generations < 1 or max_size < 1:
        raise ValueError(
            f"numbers of trees, generations and individuals must be at least 1; got {n_trees}, {max_generations} and "
            f"{max_size}"
        )
    geometric = offspring == "geometric"
    before = rng.bit_generator.state
    sizes, durations, censored = _grow(n_trees, ratio, geometric, max_generations, max_size, rng)
    kept, offsets = np.empty(0), np.empty(0, dtype=np.int64)
    if profiles:  # the same trees again, now that their lengths are known
        offsets = np.concatenate(([0], np.cumsum(durations)))
        kept = np.empty(offsets[-1])
        rng.bit_generator.state = before
        _regrow(offsets, censored, ratio, geometric, kept, rng)
    cut = int(censored.sum())
    caveats = (f"{cut} of {n_trees} trees were cut at a limit and are censored",) if cut else ()
    return Avalanches(
        sizes=sizes,
        durations=durations,
        censored=censored,
        profiles=kept,
        offsets=offsets,
        n_bins=0,
        caveats=caveats,
    )


def progeny_probability(sizes: ArrayLike, *, ratio: float = 1.0, offspring: Offspring = "poisson") -> NDArray[Any]:
    """P(S = n), the law of the total progeny: Borel for Poisson offspring, in closed form for geometric.

    By the hitting-time theorem P(S = n) = P(ξ_1 + … + ξ_n = n − 1)/n [1].

    References:
        [1] Otter (1949), Annals of Mathematical Statistics 20, 206; Dwass (1969), J. Appl. Probab. 6, 682.
    """
    _check(ratio, offspring)
    n = np.asarray(sizes, dtype=np.float64)
    if offspring == "poisson":
        log_p = -ratio * n + (n - 1) * np.log(ratio * n) - gammaln(n + 1)
    else:  # n geometric numbers: negative binomial
        log_p = gammaln(2 * n - 1) - gammaln(n) - gammaln(n + 1)
        log_p += (n - 1) * math.log(ratio / (1 + ratio)) - n * math.log1p(ratio)
    return np.asarray(np.exp(log_p))


def extinction_by(n_generations: int, *, ratio: float = 1.0, offspring: Offspring = "poisson") -> NDArray[np.float64]:
    """P(T ≤ t) for t = 0 … n_generations, by iterating the generating function of the offspring from 0."""
    return _iterate(n_generations, ratio, offspring)[0]


def mean_size_of_duration(
    n_generations: int, *, ratio: float = 1.0, offspring: Offspring = "poisson"
) -> NDArray[np.float64]:
    """E[S | T = t] for t = 1 … n_generations, exact: the reference for ⟨S⟩(T) ~ T², which it reaches slowly.

    With G_t(u) = E[u^S; T ≤ t] = u f(G_{t−1}(u)), the derivative at u = 1 gives E[S; T ≤ t]. NaN where P(T = t) is
    below what a double can tell from 0, as for long trees far from criticality.
    """
    extinct, mass = _iterate(n_generations, ratio, offspring)
    share = np.diff(extinct)
    means = np.full(share.shape, np.nan)
    np.divide(np.diff(mass), share, out=means, where=share > 1e-13)
    return means


def _iterate(n: int, ratio: float, offspring: Offspring) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """P(T ≤ t) and E[S; T ≤ t] for t = 0 … n."""
    _check(ratio, offspring)
    extinct, mass = np.zeros(n + 1), np.zeros(n + 1)
    for t in range(n):
        q = extinct[t]
        if offspring == "poisson":
            value = math.exp(ratio * (q - 1))
            slope = ratio * value
        else:
            value = 1 / (1 + ratio * (1 - q))
            slope = ratio * value**2
        extinct[t + 1] = value
        mass[t + 1] = value + slope * mass[t]
    return extinct, mass


def _check(ratio: float, offspring: str) -> None:
    if offspring not in OFFSPRING:
        raise ValueError(f"offspring is one of {OFFSPRING}, not {offspring!r}")
    if not (math.isfinite(ratio) and ratio > 0):
        raise ValueError(f"ratio is the mean number of offspring, a positive number; got {ratio}")


@njit(cache=True)
def _children(parents: int, ratio: float, geometric: bool, rng: np.random.Generator) -> int:
    """Total offspring of one generation; a sum of geometric numbers is Poisson with a gamma-distributed mean."""
    mean = ratio * rng.standard_gamma(float(parents)) if geometric else ratio * parents
    return int(rng.poisson(mean))


@njit(cache=True)
def _grow(
    n_trees: int, ratio: float, geometric: bool, max_generations: int, max_size: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    """Sizes, durations, and whether a tree was cut."""
    sizes = np.empty(n_trees)
    durations = np.empty(n_trees, dtype=np.int64)
    censored = np.zeros(n_trees, dtype=np.bool_)
    for tree in range(n_trees):
        alive, size, generation = 1, 1, 1
        while generation < max_generations and size < max_size:
            alive = _children(alive, ratio, geometric, rng)
            if alive == 0:
                break
            size += alive
            generation += 1
        sizes[tree], durations[tree], censored[tree] = size, generation, alive > 0
    return sizes, durations, censored


@njit(cache=True)
def _regrow(
    offsets: NDArray[np.int64],
    censored: NDArray[np.bool_],
    ratio: float,
    geometric: bool,
    kept: NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    """Individuals per generation of trees that end where the offsets say."""
    for tree in range(offsets.size - 1):
        alive = 1
        kept[offsets[tree]] = 1.0
        for at in range(offsets[tree] + 1, offsets[tree + 1]):
            alive = _children(alive, ratio, geometric, rng)
            kept[at] = alive
        if not censored[tree]:
            _children(alive, ratio, geometric, rng)  # the draw of no offspring that ended it
