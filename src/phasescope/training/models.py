"""Networks whose parameters carry a leading run axis: R independent networks are one set of tensors.

A model here is a description without state. It says which parameters it has, draws them for one run, and maps stacked
parameters and rows to logits. Every tensor is `(n_runs, …)`; run r only ever meets slice r.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phasescope.errors import unknown_name

Parameters = Mapping[str, Tensor]

ACTIVATIONS = ("square", "relu")


class Model(Protocol):
    """What the ensemble asks of a model."""

    @property
    def modulus(self) -> int:
        """p: number of tokens of each operand and of classes."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each parameter of one run, by name."""

    def initialize(self, rng: np.random.Generator) -> dict[str, NDArray[np.float64]]:
        """Draw the parameters of one run."""

    def logits(self, parameters: Parameters, left: Tensor, right: Tensor) -> Tensor:
        """Logits `(n_runs, n_rows, p)` of the rows `left`, `right`, each `(n_runs, n_rows)`."""

    def floats_per_row(self) -> int:
        """Activations kept for the backward pass, per row and run: what decides how many runs fit the cache."""


class _Square(torch.autograd.Function):
    """x², whose gradient takes two passes over memory where that of `Tensor.square` takes three."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        ctx.save_for_backward(values)
        return values * values

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> Tensor:
        (values,) = ctx.saved_tensors
        gradient: Tensor = values * upstream[0]
        return gradient.mul_(2)


def take_rows(table: Tensor, rows: Tensor) -> Tensor:
    """Rows of a stacked table: `(n_runs, n_entries, d)` and `(n_runs, n_rows)` give `(n_runs, n_rows, d)`.

    One `index_select` over all runs; its backward pass is several times faster than that of fancy indexing.
    """
    n_runs, n_entries, width = table.shape
    offsets = torch.arange(n_runs, device=rows.device).unsqueeze(1) * n_entries
    return (
        table.reshape(n_runs * n_entries, width).index_select(0, (rows + offsets).reshape(-1)).view(n_runs, -1, width)
    )


@dataclass(frozen=True, slots=True)
class EmbeddingMLP:
    """Embedding-sum network: logits = φ((E_a[a] + E_b[b]) W_1) W_2, without biases; W_1 only if `embedding_dim` is set.

    Without W_1 this is the fastest network known to grok: x² as φ makes it a bilinear form of the two embeddings
    (Gromov 2023, arXiv 2301.02679). Entries are drawn from N(0, 1/width) and N(0, 1/fan_in).
    """

    modulus: int
    width: int
    activation: str = "square"
    embedding_dim: int | None = None

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise ValueError(unknown_name("activation", self.activation, ACTIVATIONS))

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each parameter of one run, by name."""
        dim = self.embedding_dim or self.width
        shapes: dict[str, tuple[int, ...]] = {
            "left_embedding": (self.modulus, dim),
            "right_embedding": (self.modulus, dim),
        }
        if self.embedding_dim is not None:
            shapes["hidden"] = (dim, self.width)
        return shapes | {"output": (self.width, self.modulus)}

    def initialize(self, rng: np.random.Generator) -> dict[str, NDArray[np.float64]]:
        """Draw the parameters of one run."""
        dim = self.embedding_dim or self.width
        variance = {"hidden": 1 / dim, "output": 1 / self.width}
        return {
            name: rng.standard_normal(shape) * math.sqrt(variance.get(name, 1 / dim))
            for name, shape in self.shapes().items()
        }

    def logits(self, parameters: Parameters, left: Tensor, right: Tensor) -> Tensor:
        """Logits `(n_runs, n_rows, p)`."""
        tables = [parameters["left_embedding"], parameters["right_embedding"]]
        if self.embedding_dim is not None:  # p entries pass W_1 instead of n_rows: the sum is linear
            tables = [table @ parameters["hidden"] for table in tables]
        return self.logits_of_hidden(parameters, take_rows(tables[0], left).add_(take_rows(tables[1], right)))

    def logits_of_hidden(self, parameters: Parameters, summed: Tensor) -> Tensor:
        """Logits from the pre-activation `(n_runs, n_rows, width)`."""
        hidden: Tensor = _Square.apply(summed) if self.activation == "square" else summed.relu()
        return hidden @ parameters["output"]

    def logits_of_embeddings(self, parameters: Parameters, left: Tensor, right: Tensor) -> Tensor:
        """Logits of one run, `(n_rows, p)`, from the embedding vectors of its operands, each `(n_rows, d)`."""
        summed = (left + right).unsqueeze(0)
        if self.embedding_dim is not None:
            summed = summed @ parameters["hidden"]
        return self.logits_of_hidden(parameters, summed)[0]

    def floats_per_row(self) -> int:
        """Activations kept for the backward pass, per row and run."""
        return 3 * self.width + 2 * self.modulus


@dataclass(frozen=True, slots=True)
class Transformer:
    """One-layer transformer without layer norm on the sequence (a, b, =), read at the last position.

    Because only the last position is read, its query is one vector and keys and values depend on a token and its
    position alone: scores and values are tabulated over the p tokens instead of computed for every row. The result is
    that of the textbook form, at about a quarter of its arithmetic.

    The setting is that of Nanda et al. (2023), arXiv 2301.05217: heads of width `dim / n_heads`, ReLU, biases in the
    feed-forward block only, entries drawn from N(0, 1/fan_in), biases zero.
    """

    modulus: int
    dim: int
    n_heads: int
    mlp_width: int

    def __post_init__(self) -> None:
        if self.dim % self.n_heads:
            raise ValueError(f"the width {self.dim} must be a multiple of the number of heads, {self.n_heads}")

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each parameter of one run, by name; the token p is `=`."""
        p, d, m = self.modulus, self.dim, self.mlp_width
        square = dict.fromkeys(("query", "key", "value", "attention_output"), (d, d))
        feed_forward = {"mlp_in": (d, m), "mlp_in_bias": (m,), "mlp_out": (m, d), "mlp_out_bias": (d,)}
        return {"embedding": (p + 1, d), "position": (3, d)} | square | feed_forward | {"unembedding": (d, p)}

    def initialize(self, rng: np.random.Generator) -> dict[str, NDArray[np.float64]]:
        """Draw the parameters of one run."""
        fan_in = {"embedding": self.dim, "position": self.dim}
        parameters = {}
        for name, shape in self.shapes().items():
            if name.endswith("bias"):
                parameters[name] = np.zeros(shape)
            else:
                parameters[name] = rng.standard_normal(shape) / math.sqrt(fan_in.get(name, shape[0]))
        return parameters

    def logits(self, parameters: Parameters, left: Tensor, right: Tensor) -> Tensor:
        """Logits `(n_runs, n_rows, p)` at the last position."""
        tokens = parameters["embedding"][:, : self.modulus]
        position = parameters["position"]
        last = self._tabulate(parameters, self._last(parameters))
        first = self._tabulate(parameters, tokens + position[:, 0:1], ground=last[1])
        second = self._tabulate(parameters, tokens + position[:, 1:2], ground=last[1])
        first = take_rows(first[0], left), take_rows(first[1], left)
        second = take_rows(second[0], right), take_rows(second[1], right)
        return self._read(parameters, first, second, last)

    def logits_of_embeddings(self, parameters: Parameters, left: Tensor, right: Tensor) -> Tensor:
        """Logits of one run, `(n_rows, p)`, from the embedding vectors of its operands, each `(n_rows, d)`."""
        position = parameters["position"]
        last = self._tabulate(parameters, self._last(parameters))
        first = self._tabulate(parameters, left.unsqueeze(0) + position[:, 0:1], ground=last[1])
        second = self._tabulate(parameters, right.unsqueeze(0) + position[:, 1:2], ground=last[1])
        return self._read(parameters, first, second, last)[0]

    def floats_per_row(self) -> int:
        """Activations kept for the backward pass, per row and run."""
        return 6 * self.dim + 2 * self.mlp_width + 2 * self.modulus

    def _last(self, parameters: Parameters) -> Tensor:
        """Residual stream of the token `=` before attention, `(n_runs, 1, d)`."""
        return parameters["embedding"][:, self.modulus :] + parameters["position"][:, 2:3]

    def _tabulate(
        self, parameters: Parameters, stream: Tensor, *, ground: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Attention score `(n_runs, n, n_heads)` and value `(n_runs, n, d)` of each entry of a residual stream.

        Values are measured from `ground`, the value of the token `=`, where it is given.
        """
        n_runs, _, dim = stream.shape
        head_dim = dim // self.n_heads
        query = (self._last(parameters) @ parameters["query"]).view(n_runs, 1, self.n_heads, head_dim)
        key_rows = parameters["key"].view(n_runs, dim, self.n_heads, head_dim)
        score_of_stream = (key_rows * query).sum(-1) / math.sqrt(head_dim)  # W_K q, `(n_runs, d, n_heads)`
        value = stream @ parameters["value"]
        return stream @ score_of_stream, value if ground is None else value - ground

    def _read(
        self,
        parameters: Parameters,
        first: tuple[Tensor, Tensor],
        second: tuple[Tensor, Tensor],
        last: tuple[Tensor, Tensor],
    ) -> Tensor:
        """Attend from `=` to (a, b, =), then the feed-forward block and the unembedding.

        Products of weights are taken before they meet the rows: the residual stream itself is never formed.
        """
        scores = torch.stack([first[0], second[0], last[0].expand_as(first[0])])
        weights = torch.softmax(scores, dim=0).unsqueeze(-1)
        # The three weights sum to one, so the value of `=` is the ground from which the other two are measured.
        heads = (*first[0].shape, -1)
        mixed = torch.addcmul(last[1].view(*last[0].shape, -1), weights[0], first[1].view(heads))
        mixed = torch.addcmul(mixed, weights[1], second[1].view(heads)).flatten(2)
        stream = self._last(parameters)
        into_mlp = parameters["attention_output"] @ parameters["mlp_in"]
        offset = stream @ parameters["mlp_in"] + parameters["mlp_in_bias"].unsqueeze(1)
        hidden = torch.baddbmm(offset, mixed, into_mlp).relu_()
        past_mlp = parameters["attention_output"] @ parameters["unembedding"]
        offset = (stream + parameters["mlp_out_bias"].unsqueeze(1)) @ parameters["unembedding"]
        logits = torch.baddbmm(offset, mixed, past_mlp)
        return torch.baddbmm(logits, hidden, parameters["mlp_out"] @ parameters["unembedding"])
