"""Where the lab files, the images' sources and the default compose.yaml lie."""

from __future__ import annotations

from pathlib import Path


def data_root() -> Path:
    """Return the folder that holds compose.yaml, images/ and labs/.

    In a checkout that is the folder above the package, in an installed wheel
    `_data` inside it.
    """
    package = Path(__file__).resolve().parent.parent
    checkout = package.parent
    return checkout if (checkout / "images" / "base").is_dir() else package / "_data"
