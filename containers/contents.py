"""Print what an image holds: each Python package with its version, licence and size on disk.

Run inside an image: ``docker run --rm -i --entrypoint python IMAGE - < containers/contents.py``. The result
for both images stands in ``containers/contents.md``; the cluster tests compare it with what they build.
"""

from __future__ import annotations

from importlib.metadata import Distribution, distributions
from pathlib import Path


def size(distribution: Distribution) -> int:
    """Return the bytes of a package's files that are there, compiled modules included."""
    files = {Path(str(distribution.locate_file(file))) for file in distribution.files or ()}
    for file in [file for file in files if file.suffix == ".py"]:
        files.update(file.parent.glob(f"__pycache__/{file.stem}.*.pyc"))
    return sum(file.stat().st_size for file in files if file.is_file())


def licence(distribution: Distribution) -> str:
    """Return a package's licence as its metadata state it: an SPDX expression, else the shortest text."""
    metadata = distribution.metadata
    if metadata.get("License-Expression"):
        return metadata["License-Expression"]
    classifiers = [
        line.split(" :: ")[-1]
        for line in metadata.get_all("Classifier") or ()
        if line.startswith("License :: ") and not line.endswith("OSI Approved")
    ]
    stated = (metadata.get("License") or "").strip()
    if stated and "\n" not in stated and len(stated) < 40:
        return stated
    return ", ".join(classifiers) or "see its files"


def rows() -> list[tuple[str, str, str, float]]:
    """Return name, version, licence and megabytes of each package, the largest first."""
    found = [(d.metadata["Name"], d.version, licence(d), size(d) / 1e6) for d in distributions()]
    return sorted(found, key=lambda row: (-round(row[3], 1), row[0].lower()))


def main() -> None:
    """Print the table."""
    table = rows()
    print("| package | version | licence | MB |")
    print("|---|---|---|---:|")
    for name, version, terms, megabytes in table:
        print(f"| {name} | {version} | {terms} | {megabytes:.1f} |")
    total = sum(megabytes for *_, megabytes in table)
    print(f"| **{len(table)} packages** | | | **{total:.0f}** |")


if __name__ == "__main__":
    main()
