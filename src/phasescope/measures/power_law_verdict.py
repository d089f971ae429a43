"""One verdict on a power law from its fit, its goodness of fit and its alternatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from phasescope.measures.vuong import Comparison

FEWEST_IN_TAIL = 100
FEWEST_DECADES = 1.5
LEVEL = 0.1  # of the goodness of fit and of the likelihood ratios, as in Clauset, Shalizi & Newman (2009)
STRAIGHT = 1 / 3  # relative change of another law's exponent over the tail below which it is a power law itself


def power_law_verdict(
    *, n_tail: int, decades: float, p_value: float | None, comparisons: Sequence[Comparison]
) -> tuple[str, str]:
    """The verdict and the sentence that gives its reason.

    In this order: *too little data* with fewer than 100 points or 1.5 decades in the tail; *rejected* when p ≤ 0.1, or
    when another law is significantly better; *not distinguishable from cut-off* when the same law with an exponential
    cut-off is; *not distinguishable from lognormal* (or another law) when the likelihood ratio cannot tell;
    *supported*; *not rejected* when no p or no comparison was asked for or possible.

    Lognormal and stretched exponential have the power law as a limit, so that no amount of data makes them worse than
    it. They are no alternative once the data confine them to that limit: where every such law within reach (`bend`)
    changes its exponent α − 1 by less than a third over the tail.
    """
    if n_tail < FEWEST_IN_TAIL or decades < FEWEST_DECADES:
        return "too little data", (
            f"the tail has {n_tail} points over {decades:.2f} decades; a verdict needs {FEWEST_IN_TAIL} points and "
            f"{FEWEST_DECADES} decades"
        )
    if p_value is not None and p_value <= LEVEL:
        return "rejected", f"data drawn from the fitted law lie as far from it in only {100 * p_value:.3g} % of cases"
    others = [one for one in comparisons if not one.nested]
    better = [one for one in others if one.log_ratio < 0 and one.p_value <= LEVEL]
    if better:
        best = min(better, key=lambda one: one.log_ratio)
        return "rejected", f"{_words(best.law)} fits significantly better (p = {best.p_value:.2g})"
    cut_off = [one for one in comparisons if one.nested and one.p_value <= LEVEL]
    if cut_off:
        return "not distinguishable from cut-off", (
            f"an exponential cut-off improves the fit significantly (p = {cut_off[0].p_value:.2g}): the law bends "
            "within the data"
        )
    unclear = [one for one in others if one.p_value > LEVEL and not _is_straight(one)]
    if unclear:
        first = next((one for one in unclear if one.law == "lognormal"), unclear[0])
        names = ", ".join(_words(one.law) for one in unclear)
        return f"not distinguishable from {_words(first.law)}", (
            f"the likelihood ratio does not tell the power law from: {names}"
        )
    if p_value is None or not comparisons:
        missing = "goodness of fit" if p_value is None else "comparison with other laws"
        return "not rejected", f"no {missing} was made, so the power law is neither supported nor rejected"
    straight = [_words(one.law) for one in others if one.p_value > LEVEL]
    rest = f" or, as {' and '.join(straight)}, itself a power law over this tail" if straight else ""
    return "supported", (
        f"the fit is as good as that of data drawn from it, and every alternative is significantly worse{rest}"
    )


def _is_straight(one: Comparison) -> bool:
    return one.bend is not None and one.bend < STRAIGHT


def _words(law: str) -> str:
    return law.replace("_", " ")
