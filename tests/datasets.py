"""Makes input datasets in the layouts of the field, from nilearn's fsaverage5 and smooth variations of it.

Each function takes a folder and fills it; participants differ by a smooth, seeded deformation, so
that a cohort has real variation. Hippocampi are analytic curled sheets with HippUnfold's names.
"""

from __future__ import annotations

import functools
import json
from importlib import resources
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.freesurfer import io as fsio
from nibabel.gifti import GiftiDataArray, GiftiImage, GiftiMetaData

SIDES = {"L": "left", "R": "right"}
FS_SIDES = {"L": "lh", "R": "rh"}
CORTEX = {"L": "CortexLeft", "R": "CortexRight"}
SECONDARY = {"white": "GrayWhite", "pial": "Pial", "midthickness": "MidThickness"}


@functools.cache
def fsaverage5(kind: str, hemi: str) -> tuple[np.ndarray, np.ndarray]:
    """Return (vertices, faces) of 'white' or 'pial'."""
    image = _nilearn(f"{kind}_{SIDES[hemi]}.gii.gz")
    vertices = image.get_arrays_from_intent("NIFTI_INTENT_POINTSET")[0].data
    faces = image.get_arrays_from_intent("NIFTI_INTENT_TRIANGLE")[0].data
    return vertices.astype(np.float64), faces.astype(np.int32)


@functools.cache
def fsaverage5_map(kind: str, hemi: str) -> np.ndarray:
    """Return one of 'sulc', 'curv', 'thick', 'area'."""
    return np.array(_nilearn(f"{kind}_{SIDES[hemi]}.gii.gz").darrays[0].data, dtype=np.float32)


def _nilearn(name: str) -> GiftiImage:
    folder = resources.files("nilearn") / "datasets" / "data" / "fsaverage5"
    with resources.as_file(folder / name) as path:
        return nib.load(path)


@functools.cache
def small_cortex(kind: str, hemi: str, n: int = 642) -> tuple[np.ndarray, np.ndarray]:
    """Return the cortex at fsaverage3's (642) or fsaverage4's (2562) resolution: fast tests.

    The vertices of the icosahedral spheres are nested: the first n of fsaverage5 are fsaverageN's.
    Two of the fine vertices are joined by a coarse edge if they have a fine vertex between them.
    """
    vertices, faces = fsaverage5(kind, hemi)
    while len(vertices) > n:
        vertices, faces = _coarsen(vertices, faces)
    return vertices, faces


def _coarsen(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    m = (len(vertices) + 6) // 4  # N = 10 * 4^l + 2
    parents: dict[int, set[int]] = {}
    for a, b, c in faces:
        for child, others in ((a, (b, c)), (b, (a, c)), (c, (a, b))):
            if child >= m:
                parents.setdefault(int(child), set()).update(int(o) for o in others if o < m)
    inner = [face for face in faces if (face >= m).all()]  # the middle one of each four
    coarse = []
    for face in inner:
        p, q, r = (parents[int(v)] for v in face)
        # vertex opposite to the edge whose midpoint is face[0] is shared by the other two edges
        coarse.append((next(iter(p & r)), next(iter(p & q)), next(iter(q & r))))
    return vertices[:m], np.array(coarse, dtype=np.int32)


def deformed(vertices: np.ndarray, subject: int) -> np.ndarray:
    """Return participant `subject`'s vertices: 0 is the template, others smooth variations of 4 %."""
    if subject == 0:
        return vertices
    rng = np.random.default_rng(1000 + subject)
    scale = 1 + 0.04 * rng.standard_normal(3)
    wave = rng.normal(scale=0.03, size=(3, 3))
    phase = rng.uniform(0, 2 * np.pi, size=(3, 3))
    shift = sum(2.0 * np.sin(vertices @ wave[i][:, None] + phase[i]) for i in range(3))
    return vertices * scale + shift


def write_surface(
    path: Path, vertices: np.ndarray, faces: np.ndarray, structure: str, secondary: str
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    meta = {
        "AnatomicalStructurePrimary": structure,
        "AnatomicalStructureSecondary": secondary,
        "GeometricType": "Anatomical",
    }
    points = GiftiDataArray(vertices.astype(np.float32), "NIFTI_INTENT_POINTSET", meta=GiftiMetaData(meta))
    triangles = GiftiDataArray(faces.astype(np.int32), "NIFTI_INTENT_TRIANGLE")
    nib.save(GiftiImage(darrays=[points, triangles]), path)
    return path


def write_map(path: Path, values: np.ndarray, structure: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    array = GiftiDataArray(values.astype(np.float32), "NIFTI_INTENT_SHAPE")
    nib.save(GiftiImage(darrays=[array], meta=GiftiMetaData({"AnatomicalStructurePrimary": structure})), path)
    return path


def describe(root: Path, name: str, **fields: object) -> None:
    root.mkdir(parents=True, exist_ok=True)
    document = {
        "Name": f"{name} derivatives",
        "BIDSVersion": "1.9.0",
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": name, "Version": "1.0.0"}],
        **fields,
    }
    (root / "dataset_description.json").write_text(json.dumps(document))


def cortex_mask(hemi: str, n: int) -> np.ndarray:
    """Return which of the first n vertices are cortex: averaged thickness above 1 mm."""
    return fsaverage5_map("thick", hemi)[:n] > 1.0


def fmriprep(
    root: Path,
    subjects: list[str],
    *,
    sessions: list[str] | None = None,
    n: int = 642,
    mask: bool = True,
    midthickness: bool = True,
    legacy_order: bool = False,
) -> Path:
    """Fill a folder as fMRIPrep does; `legacy_order` writes space-fsnative before hemi-."""
    describe(root, "fMRIPrep", License="CC0", SourceDatasets=[{"DOI": "doi:10.18112/openneuro.ds000000.v1"}])
    for i, subject in enumerate(subjects):
        for session in sessions or [""]:
            parts = [f"sub-{subject}"] + ([f"ses-{session}"] if session else [])
            stem = "_".join(parts)
            for hemi in SIDES:
                middle = f"space-fsnative_hemi-{hemi}" if legacy_order else f"hemi-{hemi}"
                prefix = root.joinpath(*parts, "anat", f"{stem}_{middle}")
                _cortex_files(prefix, hemi, i + 7 * len(session), n, mask=mask, midthickness=midthickness)
    return root


def _cortex_files(prefix: Path, hemi: str, seed: int, n: int, *, mask: bool, midthickness: bool) -> None:
    surfaces = {}
    for kind in ("white", "pial"):
        vertices, faces = small_cortex(kind, hemi, n)
        surfaces[kind] = deformed(vertices, seed)
    surfaces["midthickness"] = (surfaces["white"] + surfaces["pial"]) / 2
    for kind, vertices in surfaces.items():
        if kind != "midthickness" or midthickness:
            path = prefix.with_name(f"{prefix.name}_{kind}.surf.gii")
            write_surface(path, vertices, faces, CORTEX[hemi], SECONDARY[kind])
    sphere = 100 * vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
    write_surface(
        prefix.with_name(f"{prefix.name}_sphere.surf.gii"), sphere, faces, CORTEX[hemi], "MidThickness"
    )
    for kind in ("thick", "sulc", "curv"):
        suffix = "thickness" if kind == "thick" else kind
        values = fsaverage5_map(kind, hemi)[:n]
        write_map(prefix.with_name(f"{prefix.name}_{suffix}.shape.gii"), values, CORTEX[hemi])
    if mask:
        path = prefix.with_name(f"{prefix.name}_desc-cortex_mask.label.gii")
        write_map(path, cortex_mask(hemi, n), CORTEX[hemi])


def subjects_dir(
    root: Path,
    names: list[str],
    *,
    n: int = 642,
    fastsurfer: bool = False,
    templates: tuple[str, ...] = ("fsaverage",),
    aseg: bool = True,
) -> Path:
    """Fill a SUBJECTS_DIR: any folder names, with FreeSurfer's or FastSurfer's files."""
    for i, name in enumerate([*names, *templates]):
        folder = root / name
        for sub in ("surf", "label", "mri", "scripts"):
            (folder / sub).mkdir(parents=True, exist_ok=True)
        for hemi, side in FS_SIDES.items():
            for kind in ("white", "pial"):
                vertices, faces = small_cortex(kind, hemi, n)
                fsio.write_geometry(str(folder / "surf" / f"{side}.{kind}"), deformed(vertices, i), faces)
            (folder / "surf" / f"{side}.sphere").write_bytes((folder / "surf" / f"{side}.white").read_bytes())
            _freesurfer_labels(folder / "label", side, hemi, n, fastsurfer=fastsurfer)
        if aseg:
            _aseg(folder / "mri" / "aseg.mgz", i)
    return root


def _freesurfer_labels(folder: Path, side: str, hemi: str, n: int, *, fastsurfer: bool) -> None:
    vertices, _ = small_cortex("white", hemi, n)
    keep = np.flatnonzero(cortex_mask(hemi, n))
    lines = [f"#!ascii label  , from subject x vox2ras=TkReg\n{len(keep)}\n"]
    lines += [f"{v}  {vertices[v, 0]:.3f}  {vertices[v, 1]:.3f}  {vertices[v, 2]:.3f} 0.0\n" for v in keep]
    (folder / f"{side}.cortex.label").write_text("".join(lines))
    labels, colours, names = parcels(hemi, n)
    name = "aparc.DKTatlas.mapped" if fastsurfer else "aparc"
    fsio.write_annot(str(folder / f"{side}.{name}.annot"), labels, colours, names, fill_ctab=True)
    if fastsurfer:
        (folder / f"{side}.aparc.DKTatlas.annot").symlink_to(f"{side}.aparc.DKTatlas.mapped.annot")


def parcels(hemi: str, n: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return labels, colour table and names of four parcels (by position) and the medial wall."""
    vertices, _ = small_cortex("white", hemi, n)
    front, upper = vertices[:, 1] > np.median(vertices[:, 1]), vertices[:, 2] > np.median(vertices[:, 2])
    labels = 1 + 2 * front.astype(np.int32) + upper.astype(np.int32)
    labels[~cortex_mask(hemi, n)] = 0
    colours = np.array([[25 + 40 * i, 5, 25, 0] for i in range(5)], dtype=np.int32)
    return labels, colours, ["unknown", "backlower", "backupper", "frontlower", "frontupper"]


def _aseg(path: Path, seed: int) -> None:
    """Write a 64^3 volume with ellipsoids for thalamus, caudate and brain stem."""
    grid = np.stack(np.meshgrid(*[np.arange(64)] * 3, indexing="ij"), axis=-1).astype(float)
    volume = np.zeros((64, 64, 64), dtype=np.int32)
    for label, centre in {
        10: (40, 32, 32),
        49: (24, 32, 32),
        11: (40, 46, 36),
        50: (24, 46, 36),
        16: (32, 20, 18),
    }.items():
        radii = np.array([6.0, 8.0, 7.0]) + 0.3 * (seed % 5)
        volume[(((grid - centre) / radii) ** 2).sum(axis=-1) < 1] = label
    affine = np.array([[-1, 0, 0, 32], [0, 0, 1, -32], [0, -1, 0, 32], [0, 0, 0, 1]], dtype=float)
    nib.save(nib.MGHImage(volume, affine), path)


def hippunfold(
    root: Path, subjects: list[str], *, version: int = 2, sessions: list[str] | None = None
) -> Path:
    """Fill a folder as HippUnfold 1.x or 2.x does."""
    describe(root, "HippUnfold")
    outer = root / "hippunfold" if version == 1 else root
    density = "0p5mm" if version == 1 else "8k"
    for i, subject in enumerate(subjects):
        for session in sessions or [""]:
            parts = [f"sub-{subject}"] + ([f"ses-{session}"] if session else [])
            surf = outer.joinpath(*parts, "surf")
            for hemi in SIDES:
                for label in ("hipp", "dentate"):
                    vertices, faces = curled_sheet(i, hemi, label)
                    structure = _hipp_structure(hemi, label, version)
                    for space in ("T1w", "corobl", "unfold"):
                        stem = f"{'_'.join(parts)}_hemi-{hemi}_space-{space}_den-{density}_label-{label}"
                        for surface in ("inner", "midthickness", "outer")[: 3 if label == "hipp" else 2]:
                            if label == "hipp" or surface == "midthickness":
                                write_surface(
                                    surf / f"{stem}_{surface}.surf.gii",
                                    vertices,
                                    faces,
                                    structure,
                                    "MidThickness",
                                )
    return root


def _hipp_structure(hemi: str, label: str, version: int) -> str:
    side = {"L": "Left", "R": "Right"}[hemi]
    if version == 1:
        return f"Cortex{side}"
    return f"Hippocampus{side}" if label == "hipp" else f"HippocampusDentate{side}"


def curled_sheet(subject: int, hemi: str, label: str) -> tuple[np.ndarray, np.ndarray]:
    """Return an open, curled sheet of about the hippocampus' size (mm)."""
    nu, nv = (33, 17) if label == "hipp" else (17, 9)
    u, v = np.meshgrid(np.linspace(0, 40 + subject, nu), np.linspace(0, np.pi * 1.2, nv), indexing="ij")
    radius = 5 + 0.2 * subject
    sign = 1 if hemi == "R" else -1
    points = [sign * (25 + radius * np.cos(v)), u - 20, radius * np.sin(v) + 0.02 * (u - 20) ** 2]
    index = np.arange(nu * nv).reshape(nu, nv)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    faces = np.concatenate([np.stack(t, axis=-1).reshape(-1, 3) for t in ((a, b, c), (a, c, d))])
    return np.stack(points, axis=-1).reshape(-1, 3), faces.astype(np.int32)


def raw(root: Path, subjects: list[str]) -> Path:
    """Fill a folder as a raw BIDS dataset: images only."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "dataset_description.json").write_text(json.dumps({"Name": "raw", "BIDSVersion": "1.9.0"}))
    for subject in subjects:
        anat = root / f"sub-{subject}" / "anat"
        anat.mkdir(parents=True)
        nib.save(
            nib.Nifti1Image(np.zeros((2, 2, 2), np.uint8), np.eye(4)), anat / f"sub-{subject}_T1w.nii.gz"
        )
    return root


def plain(root: Path, n: int = 642) -> Path:
    """Fill a folder with surfaces of two people, named by no convention."""
    root.mkdir(parents=True, exist_ok=True)
    for i, person in enumerate(("anna", "bert")):
        for hemi, side in FS_SIDES.items():
            vertices, faces = small_cortex("white", hemi, n)
            write_surface(
                root / f"{person}_{side}_white.surf.gii",
                deformed(vertices, i),
                faces,
                CORTEX[hemi],
                "GrayWhite",
            )
    return root


# ------------------------------------------------------------------------------------ realistic defects
def truncate(path: Path) -> None:
    """Leave the first half of a file, as a full disk or a broken copy does."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def break_link(path: Path) -> None:
    """Replace a file by a symlink to nothing, as a datalad dataset without its content."""
    path.unlink()
    path.symlink_to("../.git/annex/objects/XX/MD5E-s1--none.gii")


def poison(path: Path) -> None:
    """Write NaN into a surface's coordinates."""
    image = nib.load(path)
    image.darrays[0].data[5] = np.nan
    nib.save(image, path)


def tear(path: Path) -> None:
    """Join three triangles to one edge: not a manifold any more."""
    image = nib.load(path)
    faces = image.darrays[1].data
    a, b = faces[0, :2]
    torn = np.vstack([faces, [[a, b, (b + 100) % faces.max()]]]).astype(np.int32)
    image.darrays[1] = GiftiDataArray(torn, "NIFTI_INTENT_TRIANGLE")
    nib.save(image, path)
