import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

BROWSER = next((path for name in ("chromium", "google-chrome", "chrome") if (path := shutil.which(name))), None)
DRIVER = shutil.which("chromedriver")
OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A headless Chromium without any network, under selenium."""
    selenium = pytest.importorskip("selenium.webdriver")
    if BROWSER is None or DRIVER is None:
        reason = f"needs Chrome or Chromium and chromedriver; found browser {BROWSER} and driver {DRIVER}"
        if os.environ.get("PHASESCOPE_REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    options = selenium.ChromeOptions()
    options.binary_location = BROWSER
    for option in OPTIONS:
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = selenium.Chrome(options=options, service=selenium.ChromeService(DRIVER, env=dict(os.environ)))
    yield driver
    driver.quit()


@pytest.fixture
def open_report(chromium: Any) -> Callable[..., Any]:
    """Open a report at a width and wait until its figures are drawn; complaints and outside requests fail the test."""
    from selenium.webdriver.support.ui import WebDriverWait

    def opened(path: Path, *, width: int = 1200) -> Any:
        chromium.get_log("performance"), chromium.get_log("browser")
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        chromium.get(path.as_uri())
        drawn = "return document.documentElement.dataset.drawn === 'true'"
        WebDriverWait(chromium, 60).until(lambda driver: driver.execute_script(drawn))
        assert [entry for entry in chromium.get_log("browser") if entry["level"] != "INFO"] == []
        messages = [json.loads(entry["message"])["message"] for entry in chromium.get_log("performance")]
        asked = [item["params"]["request"]["url"] for item in messages if item["method"] == "Network.requestWillBeSent"]
        assert [url for url in asked if not url.startswith(("file://", "data:", "blob:"))] == []
        return chromium

    return opened
