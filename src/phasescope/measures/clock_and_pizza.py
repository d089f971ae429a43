"""Clock or pizza? Gradient symmetricity and distance irrelevance tell two circuits for addition mod p apart."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, stdtrit

from phasescope.measures.arrays import as_finite, as_numpy, as_table
from phasescope.measures.fourier_basis import Direction
from phasescope.results import Result

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientSymmetricity(Result):
    """Mean cosine between the gradients of a logit with respect to the two input embeddings."""

    estimate: float | None  # −1 … 1; 1 if the logits depend on the sum of the embeddings; None without any gradient
    interval: tuple[float, float] | None  # 95 %, over the draw of the triples
    cosines: NDArray[np.float64]  # (n_triples,) one per triple (a, b, c) that has both gradients
    n_without_gradient: int  # triples left out because a gradient is exactly zero


@dataclass(frozen=True, slots=True, kw_only=True)
class DistanceIrrelevance(Result):
    """How little the correct logit depends on the distance a − b: mean_d std_s(L) / std(L)."""

    estimate: float | None  # 0 (depends on the distance alone) … 1 (does not depend on it); None if L is constant
    interval: tuple[float, float] | None  # 95 %, jackknife over the distances
    correct_logits: NDArray[np.float64]  # (p, p) L, indexed [s, d]: s = a + b, d = a − b, mod p
    spread: NDArray[np.float64]  # (p,) std over s at each distance d
    mean: NDArray[np.float64]  # (p,) mean over s at each distance d


def gradient_symmetricity(
    logit_function: Callable[[Tensor, Tensor], Tensor],
    left_embedding: ArrayLike | Tensor,
    right_embedding: ArrayLike | Tensor,
    *,
    n_triples: int = 100,
    rng: np.random.Generator,
) -> GradientSymmetricity:
    """Gradient symmetricity of Zhong et al., by automatic differentiation at random triples (a, b, c).

    The mean over triples of cos(∂Q_abc/∂E_a, ∂Q_abc/∂E_b), Q_abc being the logit of class c for the input (a, b) [1].
    A network that sees only E_a + E_b scores 1 (pizza); multiplying them lowers it (clock). The two arguments are
    differentiated separately, also where a = b.

    Args:
        logit_function: Takes embedding rows of left and right inputs, two tensors `(n, n_dimensions)`, and returns
            logits `(n, n_classes)`, row by row (no batch normalization); any network, from the embedding on.
        left_embedding: Embedding of the left input, shape `(p, n_dimensions)`; dtype and device are kept.
        right_embedding: Embedding of the right input; pass the same one again if it is shared.
        n_triples: Number of different triples, drawn uniformly.
        rng: Source of randomness for the triples.

    Returns:
        The mean, its 95 % interval over the draw of triples, and the cosines.

    Raises:
        ValueError: If the embeddings are not matrices of equal width, or the logits do not have one row per pair.

    References:
        [1] Zhong, Liu, Tegmark & Andreas (2023), The clock and the pizza, NeurIPS, arXiv 2306.17844.

    Example:
        >>> embedding = np.random.default_rng(0).normal(size=(7, 3))
        >>> result = gradient_symmetricity(lambda left, right: (left + right) ** 2, embedding, embedding,
        ...                                rng=np.random.default_rng(0))
        >>> round(result.estimate, 6)
        1.0
    """
    import torch

    left, right = torch.as_tensor(left_embedding).detach(), torch.as_tensor(right_embedding).detach()
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] != right.shape[1]:
        raise ValueError(
            f"embeddings need shapes (p, n_dimensions) of equal width; they are {tuple(left.shape)} "
            f"and {tuple(right.shape)}"
        )
    with torch.no_grad():
        n_classes = logit_function(left[:1], right[:1]).shape[-1]
    sizes = (len(left), len(right), n_classes)
    n_all = int(np.prod(sizes))
    a, b, c = (
        torch.as_tensor(index, device=left.device)
        for index in np.unravel_index(rng.choice(n_all, size=min(n_triples, n_all), replace=False), sizes)
    )
    with torch.enable_grad():
        rows_left, rows_right = left[a].requires_grad_(), right[b].requires_grad_()
        logits = logit_function(rows_left, rows_right)
        if logits.shape != (len(a), n_classes):
            raise ValueError(f"logit_function must return shape {(len(a), n_classes)}; it is {tuple(logits.shape)}")
        chosen = logits.gather(1, c[:, None]).sum()
        gradients = torch.autograd.grad(chosen, (rows_left, rows_right))
    return symmetricity_of_gradients(*gradients)


def symmetricity_of_gradients(left_gradients: Any, right_gradients: Any) -> GradientSymmetricity:
    """Gradient symmetricity from gradients computed elsewhere, one row per random triple (a, b, c).

    Args:
        left_gradients: ∂Q_abc/∂E_a, shape `(n_triples, n_dimensions)`.
        right_gradients: ∂Q_abc/∂E_b of the same triples, same shape.

    Returns:
        The mean cosine, its 95 % interval over the triples (Hall's skewness-corrected t, because cosines pile up
        at 1; it knows nothing of triples rarer than about 3 in `n_triples`), and the cosines. Triples with a zero
        gradient are left out and counted.

    Raises:
        ValueError: If the shapes differ or an entry is not finite.
    """
    left = as_finite(left_gradients, name="left_gradients", ndim=2)
    right = as_finite(right_gradients, name="right_gradients", ndim=2)
    if left.shape != right.shape:
        raise ValueError(f"gradients come in pairs of equal shape; they are {left.shape} and {right.shape}")
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    seen = norms > 0
    cosines = np.clip((left[seen] * right[seen]).sum(axis=1) / norms[seen], -1.0, 1.0)
    n_without = int((~seen).sum())
    caveats: tuple[str, ...] = ()
    if n_without:
        caveats += (f"{n_without} of {len(seen)} triples have a gradient of exactly zero and are left out",)
    if len(cosines) < 2:
        caveats += ("fewer than two triples have gradients, so there is no interval",)
    return GradientSymmetricity(
        estimate=float(cosines.mean()) if len(cosines) else None,
        interval=_mean_interval(cosines) if len(cosines) > 1 else None,
        cosines=cosines,
        n_without_gradient=n_without,
        caveats=caveats,
    )


def distance_irrelevance(logits: ArrayLike, *, direction: Direction = "sum") -> DistanceIrrelevance:
    """Distance irrelevance of Zhong et al., on the logit of the correct class.

    With L[s, d] the correct logit of the pair with a + b ≡ s and a − b ≡ d, q = mean_d std_s(L) / std(L) [1], standard
    deviations with n in the denominator. A clock's correct logit does not depend on the distance d (q near 1), a
    pizza's does (q near 0). The authors' training script writes the best incorrect logit into L; their definition,
    and this function, use the correct one.

    Args:
        logits: Logits on all pairs (a, b), shape `(p, p, n_classes)` with odd p and n_classes ≥ p.
        direction: `"sum"` if the correct class is (a + b) mod p; `"difference"` if it is (a − b) mod p, when the roles
            of a + b and a − b are exchanged.

    Returns:
        The ratio and its 95 % interval: a jackknife over the distances, d and −d together, on the logit scale, which
        says how far the ratio rests on single distances. The exact clock has a constant correct logit: then the
        estimate is `None`, with a caveat.

    Raises:
        ValueError: If the table does not fit, or p is even, where (a + b, a − b) does not tell all pairs apart.

    References:
        [1] Zhong, Liu, Tegmark & Andreas (2023), NeurIPS, arXiv 2306.17844.
    """
    given = as_numpy(logits)
    precision = float(np.finfo(given.dtype).eps) if given.dtype.kind == "f" else 0.0
    table = as_table(given, name="logits")
    p, _, n_classes = table.shape
    if p % 2 == 0 or n_classes < p:
        raise ValueError(f"distance irrelevance needs odd p and at least p classes; logits have shape {table.shape}")
    s, d = np.ogrid[:p, :p]
    half = (p + 1) // 2  # the inverse of 2 mod p
    a, b = (s + d) * half % p, (s - d) * half % p
    if direction == "sum":
        correct = table[a, b, np.broadcast_to(s, (p, p))]
    elif direction == "difference":
        correct = table[a, b, np.broadcast_to(d, (p, p))].T
    else:
        raise ValueError(f"direction is 'sum' or 'difference', not {direction!r}")
    spread, mean = correct.std(axis=0), correct.mean(axis=0)
    if correct.std() <= 32 * precision * np.abs(correct).max():
        return DistanceIrrelevance(
            estimate=None,
            interval=None,
            correct_logits=correct,
            spread=spread,
            mean=mean,
            caveats=("constant logits: the correct logit is the same for all pairs, so the ratio is 0/0",),
        )
    return DistanceIrrelevance(
        estimate=float(spread.mean() / correct.std()),
        interval=_ratio_interval(spread, mean),
        correct_logits=correct,
        spread=spread,
        mean=mean,
    )


def _mean_interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """95 % interval of a mean by Hall's (1992, J. R. Stat. Soc. B 54, 221) cubic transformation of Student's t."""
    n, center = len(values), float(values.mean())
    spread = float(values.std())
    if spread < 1e-12:
        return center, center
    skewness = float(((values - center) ** 3).mean()) / spread**3
    quantile = float(stdtrit(n - 1, 0.975))
    root_n = math.sqrt(n)
    standard_error = float(values.std(ddof=1)) / root_n
    bounds = []
    for u in (quantile, -quantile):
        if abs(skewness) > 1e-6:
            inner = 1 + skewness * (u / root_n - skewness / (6 * n))
            u = 3 * root_n / skewness * (math.cbrt(inner) - 1)
        bounds.append(center - standard_error * u)
    return max(bounds[0], -1.0), min(bounds[1], 1.0)


def _ratio_interval(spread: NDArray[np.float64], mean: NDArray[np.float64]) -> tuple[float, float]:
    """95 % interval of mean(spread) / total std, leaving out the distances d and −d in turn."""
    n_groups = (len(spread) + 1) // 2
    group = np.minimum(np.arange(len(spread)), len(spread) - np.arange(len(spread)))
    parts = np.stack([np.ones_like(spread), spread, mean, spread**2 + mean**2])
    sums = np.stack([np.bincount(group, weights=part, minlength=n_groups) for part in parts])

    def ratio(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        count, spreads, means, squares = totals
        q = spreads / count / np.sqrt(np.maximum(squares / count - (means / count) ** 2, 1e-300))
        return np.asarray(logit(np.clip(q, 1e-300, 1 - 1e-12)))

    everything = sums.sum(axis=1, keepdims=True)
    left_out = ratio(everything - sums)
    center = float(n_groups * ratio(everything)[0] - (n_groups - 1) * left_out.mean())
    error = float(np.sqrt((n_groups - 1) / n_groups * ((left_out - left_out.mean()) ** 2).sum()))
    half_width = float(stdtrit(n_groups - 1, 0.975)) * error
    return float(expit(center - half_width)), float(expit(center + half_width))
