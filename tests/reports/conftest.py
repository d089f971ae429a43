import numpy as np
import pytest

from phasescope.store.runs import create_recording

HOSTILE = "</script><script>alert(1)</script>"


@pytest.fixture
def hostile_store(tmp_path):
    """A store with one run whose names and values are written to do harm; root and run id."""
    rng = np.random.default_rng(0)
    config = {"model": "<img src=x onerror=alert(2)>", HOSTILE: "<b>bold</b>", "note": "=cmd|' /C calc'!A0"}
    with create_recording(tmp_path, study="watch", config=config, runs=[{"seed": 0}]) as writer:
        for step in range(0, 300, 3):
            rise = 1 / (1 + np.exp(-(step - 150) / 10))
            writer.append(
                0,
                step,
                {
                    HOSTILE: rise + 0.01 * rng.standard_normal(),
                    "<a href='javascript:alert(3)'>loss</a>": 3 * np.exp(-step / 100),
                    "%{y} $x^2$ {nonce} <!--": 1.0,
                    "nan": float("nan"),
                },
            )
        writer.write_event(0, 3, "alert", "<svg onload=alert(4)>")
    return tmp_path, writer.id
