"""``spectralbrain-demo OUTPUT``: lay out real surfaces as a dataset, run the app on it, show the results."""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, NoReturn

from spectralbrain._version import __version__
from spectralbrain.cli import exits
from spectralbrain.cli.main import run
from spectralbrain.cli.parser import Parser

SIDES = {"L": "left", "R": "right"}
STRUCTURES = {"L": "CortexLeft", "R": "CortexRight"}
SUBJECTS = ("fsaverage5", "deformed")
SURFACES = {"white": "GrayWhite", "pial": "Pial"}
MAPS = {"thickness": "thick", "sulc": "sulc", "curv": "curv"}
MODES = 100
# The averaged thickness of fsaverage leaks into the medial wall, where a single subject's is zero.
# No cortex is thinner than a millimetre.
CORTEX_THICKNESS_MM = 1.0
README = """# Demo dataset

Laid out like the output of fMRIPrep from the surfaces that the nilearn package ships.

- `sub-fsaverage5`: FreeSurfer's average surface at 10,242 vertices per hemisphere, as it is.
- `sub-deformed`: the same surface, stretched by 6 % from front to back, narrowed by 4 % from left to right
  and bent smoothly by up to 2 mm: not a person, but a shape that differs by known amounts.
- The cortex mask is where the averaged thickness exceeds 1 mm: largest connected part, holes filled.
- `seg-octants` divides each hemisphere at the medians of its coordinates: eight parts to show region tables,
  no anatomy.
"""


def build_parser() -> Parser:
    """Return the parser of ``spectralbrain-demo``."""
    parser = Parser(
        "spectralbrain-demo",
        description="Run SpectralBrain on the fsaverage5 surfaces that nilearn ships, in under two minutes.",
        allow_abbrev=False,
    )
    parser.add_argument("output", metavar="OUTPUT", type=Path, help="folder to fill")
    parser.add_argument("--modes", type=int, default=MODES, help="eigenpairs of each surface (%(default)s)")
    parser.add_argument("--nprocs", type=int, help="processors to use (default: what is granted)")
    parser.add_argument("--no-report", action="store_true", help="write no HTML reports")
    parser.add_argument("--version", action="version", version=f"spectralbrain {__version__}")
    return parser


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the demo and exit."""
    sys.exit(run_demo(argv))


def run_demo(argv: Sequence[str] | None = None) -> int:
    """Run the demo and return its exit code: that of the app."""
    options = build_parser().parse_args(argv)
    start = time.monotonic()
    output = options.output.absolute()
    dataset, derivatives = output / "fmriprep", output / "spectralbrain"
    try:
        write_dataset(dataset)
    except ImportError as error:
        print(f'spectralbrain-demo: error: {error}; pip install "spectralbrain[app]"', file=sys.stderr)
        return exits.SOFTWARE
    print(f"laid out {len(SUBJECTS)} participants in {dataset}\n")
    common = [str(dataset), str(derivatives), "-w", str(output / "work"), "--modes", str(options.modes)]
    common += ["--nprocs", str(options.nprocs)] if options.nprocs else []
    common += ["--no-report"] if options.no_report else []
    for level in ("participant", "group"):
        arguments = [*common[:2], level, *common[2:]]
        print(f"$ spectralbrain {' '.join(arguments)}", flush=True)
        code = run(arguments)
        if code != exits.OK:
            return code
        print()
    print_guide(derivatives)
    print(f"\ndemo finished in {time.monotonic() - start:.0f} s")
    return exits.OK


def write_dataset(root: Path) -> Path:
    """Fill a folder as fMRIPrep would have, from nilearn's fsaverage5.

    Parameters
    ----------
    root : Path
        Made if it does not exist; files of an earlier demo are replaced by the same bytes.

    Returns
    -------
    Path
        `root`.

    Raises
    ------
    ImportError
        If nilearn is not installed.
    """
    from spectralbrain.io._atomic import write_text_atomic

    description = {
        "Name": "SpectralBrain demo: fsaverage5 in fMRIPrep's layout",
        "BIDSVersion": "1.11.1",
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "spectralbrain-demo", "Version": __version__}],
    }
    write_text_atomic(root / "dataset_description.json", json.dumps(description, indent=2) + "\n")
    write_text_atomic(root / "README.md", README)
    for subject in SUBJECTS:
        for hemi in SIDES:
            _write_hemisphere(root / f"sub-{subject}" / "anat" / f"sub-{subject}_hemi-{hemi}", subject, hemi)
    return root


def _nilearn_file(name: str) -> bytes:
    folder = resources.files("nilearn") / "datasets" / "data" / "fsaverage5"
    return gzip.decompress((folder / name).read_bytes())


def _write_hemisphere(prefix: Path, subject: str, hemi: str) -> None:
    from spectralbrain.io._atomic import write_bytes_atomic

    for surface, secondary in SURFACES.items():
        content = _nilearn_file(f"{surface}_{SIDES[hemi]}.gii.gz")
        if subject == "deformed":
            content = _deformed(content)
        content = _described(content, hemi, secondary)
        write_bytes_atomic(prefix.with_name(f"{prefix.name}_{surface}.surf.gii"), content)
    for suffix, name in MAPS.items():
        content = _with_structure(_nilearn_file(f"{name}_{SIDES[hemi]}.gii.gz"), hemi)
        write_bytes_atomic(prefix.with_name(f"{prefix.name}_{suffix}.shape.gii"), content)
    vertices, faces = _arrays(_nilearn_file(f"white_{SIDES[hemi]}.gii.gz"))
    thickness = _read(_nilearn_file(f"thick_{SIDES[hemi]}.gii.gz")).darrays[0].data
    mask = cortex_from_thickness(thickness, faces)
    names = ["medial_wall", "cortex"]
    write_bytes_atomic(
        prefix.with_name(f"{prefix.name}_desc-cortex_mask.label.gii"), _labels(mask, names, hemi)
    )
    octants = octants_of(vertices) * mask
    names = ["medial_wall", *(f"octant_{i}" for i in range(1, 9))]
    write_bytes_atomic(
        prefix.with_name(f"{prefix.name}_seg-octants_dseg.label.gii"), _labels(octants, names, hemi)
    )


def cortex_from_thickness(thickness: Any, faces: Any) -> Any:
    """Return which vertices are cortex: the largest part above 1 mm, its holes filled but the largest.

    Parameters
    ----------
    thickness : (N,) array, mm
        Cortical thickness.
    faces : (F, 3) array of int
        Triangles of the surface.

    Returns
    -------
    (N,) array of bool
    """
    import numpy as np

    above = np.asarray(thickness) > CORTEX_THICKNESS_MM
    cortex = _largest_part(above, faces)
    wall = _largest_part(~cortex, faces)
    return ~wall


def _largest_part(members: Any, faces: Any) -> Any:
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = edges[members[edges].all(axis=1)]
    n = len(members)
    graph = coo_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(n, n))
    _, part = connected_components(graph, directed=False)
    sizes = np.bincount(part[members])
    return members & (part == sizes.argmax())


def octants_of(vertices: Any) -> Any:
    """Return a number from 1 to 8 for each vertex: its side of the median of x, y and z."""
    import numpy as np

    above = np.asarray(vertices) > np.median(vertices, axis=0)
    return 1 + above @ np.array([1, 2, 4])


def _read(content: bytes) -> Any:
    from nibabel.gifti import GiftiImage

    return GiftiImage.from_bytes(content)


def _arrays(content: bytes) -> tuple[Any, Any]:
    image = _read(content)
    points = image.get_arrays_from_intent("NIFTI_INTENT_POINTSET")[0].data
    return points, image.get_arrays_from_intent("NIFTI_INTENT_TRIANGLE")[0].data


def _deformed(content: bytes) -> bytes:
    import numpy as np

    image = _read(content)
    points = image.get_arrays_from_intent("NIFTI_INTENT_POINTSET")[0]
    x, y, z = points.data.astype(np.float64).T
    bent = np.stack([0.96 * x, 1.06 * y + 2 * np.sin(z / 25), z + 2 * np.cos(y / 30)], axis=1)
    points.data = bent.astype(np.float32)
    return bytes(image.to_bytes())


def _described(content: bytes, hemi: str, secondary: str) -> bytes:
    """Say what fMRIPrep's files say: which structure, which surface, and nobody's home folder."""
    from nibabel.gifti import GiftiMetaData

    image = _read(content)
    image.meta = GiftiMetaData()
    for array in image.darrays:
        array.meta = GiftiMetaData()
    points = image.get_arrays_from_intent("NIFTI_INTENT_POINTSET")[0]
    points.meta = GiftiMetaData(
        {
            "AnatomicalStructurePrimary": STRUCTURES[hemi],
            "AnatomicalStructureSecondary": secondary,
            "GeometricType": "Anatomical",
        }
    )
    return bytes(image.to_bytes())


def _with_structure(content: bytes, hemi: str) -> bytes:
    from nibabel.gifti import GiftiMetaData

    image = _read(content)
    image.meta = GiftiMetaData({"AnatomicalStructurePrimary": STRUCTURES[hemi]})
    image.darrays[0].meta = GiftiMetaData()
    return bytes(image.to_bytes())


def _labels(values: Any, names: list[str], hemi: str) -> bytes:
    import numpy as np
    from nibabel.gifti import GiftiDataArray, GiftiImage, GiftiLabel, GiftiLabelTable, GiftiMetaData

    table = GiftiLabelTable()
    for key, name in enumerate(names):
        shade = key / max(1, len(names) - 1)
        label = GiftiLabel(key, shade, 1 - shade, 0.5, float(key > 0))
        label.label = name
        table.labels.append(label)
    array = GiftiDataArray(
        np.asarray(values).astype(np.int32), intent="NIFTI_INTENT_LABEL", datatype="NIFTI_TYPE_INT32"
    )
    meta = GiftiMetaData({"AnatomicalStructurePrimary": STRUCTURES[hemi]})
    image = GiftiImage(darrays=[array], labeltable=table, meta=meta)
    return bytes(image.to_bytes())


GUIDE = (
    ("sub-*/anat/*_eigenpairs.h5", "eigenvalues, eigenvectors, mass matrix", "h5py, spectralbrain.load"),
    ("sub-*/anat/*_eigenmodes.shape.gii", "eigenmodes as maps", "wb_view, freeview, nilearn"),
    ("sub-*/anat/*_hks.shape.gii", "heat kernel signature, one map per time", "wb_view, freeview, nilearn"),
    ("sub-*/anat/*_wks.shape.gii", "wave kernel signature, one map per energy", "wb_view, freeview, nilearn"),
    ("sub-*/anat/*_desc-shapedna_morph.tsv", "size, topology, spectrum of each surface", "pandas"),
    ("sub-*/anat/*_seg-*_relmat.tsv", "distances between regions", "pandas"),
    ("*_relmat.tsv", "distances between participants", "pandas"),
    ("desc-*_morph.tsv", "the group's tables", "pandas, R"),
    ("sub-*.html", "report of each participant", "a browser"),
    ("group.html", "report of the group", "a browser"),
)


def print_guide(derivatives: Path) -> None:
    """Print what was written and how to open it."""
    from spectralbrain.bids.inventory import format_table

    rows: list[tuple[str, ...]] = []
    for pattern, what, program in GUIDE:
        count = len(list(derivatives.glob(pattern)))
        if count:
            rows.append((pattern, str(count), what, program))
    print(f"written to {derivatives}:")
    print(format_table(("file", "number", "what it holds", "open it with"), rows))
    first = derivatives / f"sub-{SUBJECTS[0]}.html"
    if first.exists():
        print(f"\nstart here: {first.as_uri()}")


if __name__ == "__main__":
    main()
