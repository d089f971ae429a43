"""Weights and their movement: norm of each parameter, and of what one optimizer step changed in it."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from phasescope.recorders.norms import euclidean_norm


def weight_norms(parameters: Sequence[Tensor]) -> list[Tensor]:
    """Euclidean norm of each parameter, scalars on the parameters' own devices."""
    return [euclidean_norm(parameter.detach()) for parameter in parameters]


class UpdateProbe:
    """Holds a copy of the weights over one optimizer step, and gives it back as the norms of the change.

    The copy lives from construction to `norms()`, that is during `optimizer.step()`, when activations are freed.
    """

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self._parameters = list(parameters)
        self._before = [parameter.detach().clone() for parameter in parameters]

    def norms(self) -> list[Tensor]:
        """Norm of `after − before` for each parameter; releases the copies, so it answers once."""
        norms = []
        self._before.reverse()
        for parameter in self._parameters:
            before = self._before.pop()
            norms.append(euclidean_norm(before.sub_(parameter.detach())))
        return norms
