"""Whether exponents of avalanches count as scaling laws: how far they must reach and how well they must be known."""

from __future__ import annotations

from phasescope.measures.avalanche_exponents import AvalancheExponents

SIZE_DECADES, DURATION_DECADES = 1.5, 1.0
WIDEST = 0.5  # half an interval of an exponent; beyond it the law is not measured


def scaling_trouble(exponents: AvalancheExponents) -> str | None:
    """Why these exponents do not count as scaling laws, in one clause; `None` where they do."""
    parts = (
        ("sizes", exponents.size_exponent_interval, SIZE_DECADES, 1.0),
        ("durations", exponents.duration_exponent_interval, DURATION_DECADES, 1.0),
        ("mean sizes", exponents.mean_size_exponent_interval, DURATION_DECADES, 0.0),
    )
    found = zip(parts, exponents.scaling_decades, exponents.accepted, strict=True)
    for (name, (low, high), decades, floor), seen, accepted in found:
        if not accepted:
            return f"{name} obey no power law on any range"
        if seen < decades:
            return f"{name} scale over {seen:.2f} decades, fewer than {decades:g}"
        if not 0.5 * (high - low) <= WIDEST:
            return f"the exponent of the {name} is known only to ± {0.5 * (high - low):.2g}"
        if low <= floor:
            return f"the exponent of the {name} is not told from {floor:g} (interval from {low:.3g})"
    return None
