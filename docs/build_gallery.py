"""Draw the pictures of docs/gallery from the code on its page; needs the extra `export` and a Chrome or Chromium.

python docs/build_gallery.py
"""

from __future__ import annotations

import re
from pathlib import Path

from phasescope import figures

FOLDER = Path(__file__).parent / "gallery"
ENTRY = re.compile(r"```python\n(.*?)```\s+!\[[^\]]*\]\(([\w-]+\.png)\)", re.DOTALL)


def main() -> None:
    """Run the blocks of the page in order and save the figure each of them leaves."""
    namespace: dict[str, object] = {}
    for code, name in ENTRY.findall((FOLDER / "README.md").read_text()):
        exec(compile(code, name, "exec"), namespace)
        figures.save(namespace["figure"], FOLDER / name)
        print(name)


if __name__ == "__main__":
    main()
