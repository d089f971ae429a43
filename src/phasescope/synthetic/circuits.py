"""Hand-built networks that add modulo p: the clock, which multiplies embeddings, and the pizza, which adds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Kind = Literal["clock", "pizza"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """A network from two embeddings to logits whose weights are written down instead of trained.

    Both inputs share one embedding of K circles, E_t = (cos w_k t, sin w_k t) for each frequency k, w_k = 2πk/p. With
    φ = w_k(a + b) and δ = w_k(a − b), the clean logits of class c are

    - clock: Σ_k cos(φ − w_k c), from products of the two embeddings; the correct logit is the constant K;
    - pizza: Σ_k |cos(δ/2)| (|cos x| − |sin x|) with x = (φ − w_k c)/2, from absolute values of their sum; as
      |cos x| − |sin x| is close to cos 2x, the correct logit Σ_k |cos(δ/2)| depends on the distance a − b.

    Noise is a random linear read-out of both embeddings, E_a·M_c + E_b·N_c: the logits and their gradients both see
    it, and it treats left and right differently.
    """

    kind: Kind
    frequencies: tuple[int, ...]  # K of them, in 1 … (p − 1)/2
    embedding: NDArray[np.float64]  # (p, 2K) cosines of all frequencies, then sines
    noise_left: NDArray[np.float64]  # (2K, p) M, one column per class
    noise_right: NDArray[np.float64]  # (2K, p) N

    def logits(self, left: Tensor, right: Tensor) -> Tensor:
        """Logits `(n, p)` of embedding rows `left` and `right`, `(n, 2K)` each; differentiable in both."""
        import torch

        k = len(self.frequencies)
        angle = 2 * np.pi * np.outer(self.frequencies, np.arange(len(self.embedding))) / len(self.embedding)
        if self.kind == "pizza":
            angle = angle / 2
        weights = (np.cos(angle), np.sin(angle), self.noise_left, self.noise_right)
        cos_c, sin_c, noise_left, noise_right = (torch.as_tensor(w, dtype=left.dtype) for w in weights)
        if self.kind == "clock":
            a_cos, a_sin, b_cos, b_sin = left[:, :k], left[:, k:], right[:, :k], right[:, k:]
            clean = (a_cos * b_cos - a_sin * b_sin) @ cos_c + (a_sin * b_cos + a_cos * b_sin) @ sin_c
        else:
            # Half the sum is cos(δ/2)·(cos φ/2, sin φ/2); along and across the half angle of c that is cos x and sin x.
            middle = (left + right) / 2
            along = middle[:, :k, None] * cos_c + middle[:, k:, None] * sin_c
            across = middle[:, k:, None] * cos_c - middle[:, :k, None] * sin_c
            clean = (along.abs() - across.abs()).sum(dim=1)
        return clean + left @ noise_left + right @ noise_right

    def table(self) -> NDArray[np.float64]:
        """Logits of all pairs, shape `(p, p, p)`, indexed `[a, b, c]`."""
        import torch

        p = len(self.embedding)
        rows = torch.as_tensor(self.embedding)
        a, b = np.divmod(np.arange(p * p), p)
        return np.asarray(self.logits(rows[a], rows[b]).reshape(p, p, p).numpy())


def circuit(
    kind: Kind,
    *,
    p: int,
    frequencies: Sequence[int],
    noise: float = 0.0,
    rng: np.random.Generator | None = None,
) -> Circuit:
    """Build a clock or a pizza on ℤ_p.

    Args:
        kind: `"clock"` or `"pizza"`.
        p: Modulus, odd.
        frequencies: Frequencies k of its circles, each in 1 … (p − 1)/2.
        noise: Standard deviation of the logit noise over the table of all pairs and classes.
        rng: Source of randomness for the noise; needed if `noise` is above 0.

    Returns:
        The network; `embedding` and `logits` are what `gradient_symmetricity` takes, `table()` what the measures on
        logits take.

    Raises:
        ValueError: If p is even, a frequency is out of range or repeated, or noise comes without `rng`.

    References:
        Zhong, Liu, Tegmark & Andreas (2023), The clock and the pizza, NeurIPS, arXiv 2306.17844, section 2.

    Example:
        >>> table = circuit("clock", p=7, frequencies=[1, 2, 3]).table()
        >>> int(table[3, 6].argmax()), round(float(table[3, 6, 2]), 6)
        (2, 3.0)
    """
    if kind not in ("clock", "pizza"):
        raise ValueError(f"kind is 'clock' or 'pizza', not {kind!r}")
    ks = tuple(int(k) for k in frequencies)
    if p % 2 == 0 or not ks or len(set(ks)) < len(ks) or min(ks) < 1 or max(ks) > (p - 1) // 2:
        raise ValueError(f"needs odd p and different frequencies in 1 … (p − 1)/2; got p = {p} and {ks}")
    angle = 2 * np.pi * np.outer(np.arange(p), ks) / p
    embedding = np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
    readout = np.zeros((2, 2 * len(ks), p))
    if noise > 0:
        if rng is None:
            raise ValueError("noise needs an rng to be drawn from")
        readout = rng.normal(size=readout.shape)
        left, right = embedding @ readout[0], embedding @ readout[1]
        readout *= noise / np.sqrt((left**2).mean() + (right**2).mean())  # embeddings have mean 0 over ℤ_p
    return Circuit(kind=kind, frequencies=ks, embedding=embedding, noise_left=readout[0], noise_right=readout[1])
