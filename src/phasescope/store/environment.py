"""What a recording says about where it was made: versions, threads, device, and nothing that names a person."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = ("phasescope", "torch", "numpy", "scipy", "numba")

# The whole list of what is recorded and shown. Environment variables, host and user names and paths are not on it.
ALLOWED = frozenset({"python", *PACKAGES, "threads", "device", "system", "machine", "cpu_count"})


@cache
def package_versions(names: tuple[str, ...] = PACKAGES) -> dict[str, str | None]:
    """Installed versions from the packages' metadata, so nothing is imported; `None` for what is missing."""
    found: dict[str, str | None] = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def describe_environment(*, threads: int | None = None, device: str | None = None) -> dict[str, Any]:
    """The environment of this process, by allow-list.

    Args:
        threads: Threads of the numerical libraries, as the caller set them.
        device: Device of the computation, for example `"cpu"`.

    Returns:
        Versions of Python and the numerical packages, threads, device, operating system, architecture, CPU count.
    """
    return {
        "python": platform.python_version(),
        **package_versions(),
        "threads": threads,
        "device": device,
        "system": platform.system(),
        "machine": platform.machine(),
        "cpu_count": os.cpu_count(),
    }


def allowed(environment: Mapping[str, Any]) -> dict[str, Any]:
    """What of a recorded environment may be shown; a stranger's file may hold more than we would write."""
    return {
        name: value
        for name, value in environment.items()
        if name in ALLOWED and (value is None or isinstance(value, (str, int)))
    }
