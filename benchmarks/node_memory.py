"""Peak memory of each kind of node beside its estimate, `spectralbrain.interfaces.memory`.

Run: ``python benchmarks/node_memory.py [subdivisions] [modes] [surfaces] [regions] [maps]`` (6, 100, 300, 100
and 50 if omitted; 6 subdivisions are 40,962 vertices). Linux only. Each node runs in a process of its own,
forked from one that has imported what nodes import; the highest memory Linux saw in it is printed, in GiB.
"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py  # noqa: F401 - what nodes import belongs to the interpreter, not to a node
import nibabel as nib
import numpy as np
import scipy.fft
import scipy.stats  # noqa: F401

import spectralbrain as sb
import spectralbrain.interfaces as nodes
from spectralbrain.geometry.solids import sphere
from spectralbrain.interfaces.memory import estimate_mem_gb

N_SOURCES = 20
EDGE = 96  # voxels
Case = tuple[str, dict[str, Any], dict[str, int]]


def write_inputs(level: int, k: int, surfaces: int, regions: int, n_maps: int) -> None:
    """Fill the current folder."""
    mesh = sphere(level, radius=50.0)
    n = mesh.n_vertices
    rng = np.random.default_rng(0)
    sb.save_mesh("mesh.ply", mesh.vertices, mesh.faces)
    sb.save_mesh("mesh.surf.gii", mesh.vertices, mesh.faces)
    nib.freesurfer.write_geometry("lh.white", mesh.vertices, mesh.faces)
    sb.save_mesh("pial.ply", mesh.vertices * 1.05, mesh.faces)
    nodes.Decompose(mesh_file="mesh.ply", k=k, out_file="modes.h5").run()
    decomposition = sb.SpectralDecomposition.load("modes.h5")
    decomposition.truncate(k - 1).save("other.h5")
    longitude = np.arctan2(mesh.vertices[:, 1], mesh.vertices[:, 0])
    labels = 1 + np.minimum(((longitude + np.pi) / (2 * np.pi) * regions).astype(int), regions - 1)
    maps = {"maps": rng.random((n, n_maps)), "labels": labels, "mask": mesh.vertices[:, 2] > -45.0}
    maps |= {"map": maps["maps"][:, 0].copy(), "areas": np.ones(n)}
    sb.save_hdf5("maps.h5", descriptors=maps)
    sb.save_gifti_func("maps.func.gii", maps["maps"])
    sb.save_gifti_func("labels.shape.gii", labels.astype(np.float32))
    colors = np.column_stack([np.arange(regions + 1)] * 3 + [np.zeros((regions + 1, 2), int)])
    names = ["unknown", *(f"region{i}" for i in range(1, regions + 1))]
    nib.freesurfer.write_annot("labels.annot", labels, colors, names, fill_ctab=True)
    sb.save_npz("maps.npz", maps=maps["maps"])
    sb.save_hdf5("coefficients.h5", descriptors={"c": rng.random((k, n_maps))})
    sb.save_hdf5("matrix.h5", descriptors={"m": rng.random((surfaces, surfaces))})
    sb.save_connectome("matrix.tsv", rng.random((surfaces, surfaces)))
    sphere(3, radius=50.0).decompose(k).save("small.h5")
    for index in range(surfaces):
        Path(f"sub-{index:05d}.h5").hardlink_to("small.h5")
    rows = "".join(f"sub-{i:05d}\t{v}\n" for i, v in enumerate(rng.random(surfaces)))
    Path("values.tsv").write_text(f"name\tvalue\n{rows}")
    grid = np.indices((EDGE, EDGE, EDGE)) - EDGE / 2
    ball = (np.square(grid).sum(axis=0) < (0.4 * EDGE) ** 2).astype(np.int16) * 17
    nib.Nifti1Image(ball, np.eye(4)).to_filename("aseg.nii.gz")
    parcels = {"mesh_file": "mesh.ply", "labels_file": "maps.h5", "labels_key": "labels"}
    nodes.ComputeRegionSpectra(**parcels, k=20, out_file="spectra.h5").run()


def make_cases(sizes: dict[str, int], surfaces: int, regions: int, n_maps: int) -> list[Case]:
    """Return for each node its inputs and the sizes its estimate goes by."""
    one = {"n_vertices": sizes["n_vertices"]}
    modes = {"decomposition_file": "modes.h5"}
    both = {"source_file": "modes.h5", "target_file": "other.h5"}
    spectrum = {"spectrum_file": "modes.h5"}
    pair = {"a_file": "modes.h5", "b_file": "modes.h5"}
    map_of = {**modes, "values_file": "maps.h5", "values_key": "maps"}
    single = {**map_of, "values_key": "map"}
    points = {**modes, "sources": list(range(N_SOURCES))}
    mapped, sourced = {**sizes, "n_maps": n_maps}, {**sizes, "n_maps": N_SOURCES}
    files = {"in_files": [f"sub-{i:05d}.h5" for i in range(surfaces)]}
    sessions = [
        {"participant_id": f"sub-{i // 2:05d}", "session_id": f"ses-{i % 2}"} for i in range(surfaces)
    ]
    group = {"k": sizes["k"], "n_rows": surfaces}
    parcels = {"mesh_file": "mesh.ply", "labels_file": "maps.h5", "labels_key": "labels"}
    regional = {**one, "k": 20, "n_rows": regions}
    sided = {
        "left_files": files["in_files"],
        "right_files": files["in_files"],
        "ids": list(range(surfaces)),
    }
    return [
        ("Load", {"in_file": "maps.func.gii"}, mapped),
        ("LoadMesh", {"in_file": "mesh.ply"}, one),
        ("LoadGiftiSurface", {"in_file": "mesh.surf.gii"}, one),
        ("LoadFreeSurferSurface", {"in_file": "lh.white"}, one),
        ("LoadScalars", {"in_file": "maps.func.gii"}, mapped),
        ("LoadLabels", {"in_file": "labels.annot"}, one),
        ("LoadMask", {"in_file": "labels.shape.gii", "n_vertices": one["n_vertices"]}, one),
        ("LoadLabelVolume", {"in_file": "aseg.nii.gz"}, {"n_vertices": EDGE**3}),
        ("LabelSurface", {"volume_file": "aseg.nii.gz", "labels": [17]}, {"n_vertices": EDGE**3}),
        ("MaskMesh", {"mesh_file": "mesh.ply", "mask_file": "maps.h5", "mask_key": "mask"}, one),
        ("Midthickness", {"white_file": "mesh.ply", "pial_file": "pial.ply"}, one),
        ("MeshQuality", {"mesh_file": "mesh.ply"}, one),
        ("RepairMesh", {"mesh_file": "mesh.ply", "steps": ["keep_largest_component", "orient_faces"]}, one),
        ("SmoothSurface", {"mesh_file": "mesh.ply"}, one),
        ("RefineSurface", {"mesh_file": "mesh.ply"}, one),
        ("Decompose", {"mesh_file": "mesh.ply", "k": sizes["k"]}, sizes),
        ("HKSTimes", {}, {}),
        ("WKSEnergies", {}, {}),
        ("SharedHKSTimes", files, group),
        ("SharedWKSEnergies", files, group),
        ("ComputeShapeDNA", modes, sizes),
        ("ComputeHKS", {**modes, "n_times": n_maps}, mapped),
        ("ComputeSIHKS", modes, sizes),
        ("ComputeWKS", {**modes, "n_energies": n_maps}, mapped),
        ("ComputeGPS", modes, sizes),
        ("ComputeBKS", modes, sizes),
        ("ComputeBatesSignatures", {**modes, "n_times": n_maps // 2, "order": 2}, mapped),
        ("ComputeWavelets", {**modes, "n_scales": n_maps}, mapped),
        ("WaveletTransform", {**single, "n_scales": n_maps}, mapped),
        ("HeatTrace", spectrum, sizes),
        ("WaveTrace", spectrum, sizes),
        ("VertexAreas", modes, sizes),
        ("AreaMean", map_of, mapped),
        ("AreaHistogram", single, {**sizes, "n_maps": 1}),
        ("ModeWavelengths", spectrum, sizes),
        ("DecomposeMap", map_of, mapped),
        ("ReconstructMap", {**modes, "coefficients_file": "coefficients.h5"}, mapped),
        ("FilterMap", {**map_of, "longer_than": 40.0}, mapped),
        ("ReconstructionError", single, {**sizes, "n_maps": 1}),
        ("Eigenstrap", {**single, "n_surrogates": n_maps}, mapped),
        ("DiffusionDistance", {**points, "t": 0.1, "time": "area"}, sourced),
        ("CommuteTimeDistance", points, sourced),
        ("BiharmonicDistance", points, sourced),
        ("ShapeDNADistance", pair, sizes),
        ("WESD", pair, sizes),
        ("WESDMatrix", files, group),
        ("ShapeDNADistanceMatrix", files, group),
        ("AlignModes", {"moving_file": "modes.h5", "reference_file": "other.h5"}, sizes),
        (
            "ComputeFunctionalMap",
            {**both, "correspondence": np.arange(sizes["n_vertices"])},
            sizes,
        ),
        (
            "ZoomOut",
            {**both, "initial": np.eye(10), "k_final": 14},
            sizes,
        ),
        (
            "ShapeDifference",
            {**both, "matrix": np.eye(10)},
            sizes,
        ),
        ("SpectralAsymmetry", {"left_file": "modes.h5", "right_file": "modes.h5"}, sizes),
        ("AsymmetryTable", sided, {**group, "n_rows": 2 * surfaces}),
        ("Parcellate", parcels, {**one, "n_rows": regions}),
        ("ComputeRegionSpectra", {**parcels, "k": 20}, regional),
        ("RegionTable", {"spectra_file": "spectra.h5"}, regional),
        ("RegionDistanceMatrix", {"spectra_file": "spectra.h5"}, regional),
        (
            "BuildGeometricConnectome",
            {
                **{f"{name}_file": "maps.h5" for name in ("descriptors", "labels", "weights")},
                "descriptors_key": "maps",
                "labels_key": "labels",
                "weights_key": "areas",
            },
            {**one, "n_maps": n_maps, "n_rows": regions},
        ),
        ("CheckCompatible", files, group),
        ("ParticipantsTable", files, group),
        ("ShapeDNATable", files, group),
        ("ShapeDNADeviations", files, group),
        ("DistanceMatrix", files, group),
        (
            "FindOutliers",
            {"values_file": "values.tsv", "values_column": "value", "measure": "v"},
            {"n_rows": surfaces},
        ),
        ("LongitudinalDifferences", {**files, "entities": sessions}, group),
        ("SaveHDF5", {"in_files": ["modes.h5", "maps.h5"]}, mapped),
        ("SaveMesh", {"mesh_file": "mesh.ply", "out_file": "m.vtp"}, one),
        ("SaveGiftiFunc", {"scalars_file": "maps.h5", "scalars_key": "maps"}, mapped),
        ("SaveNpz", {"arrays_file": "maps.h5", "arrays_keys": ["maps"]}, {**mapped, "k": 0}),
        ("SaveConnectome", {"matrix_file": "matrix.h5"}, {"n_rows": surfaces}),
        ("LoadHDF5", {"in_file": "modes.h5", "key": "eigenvectors"}, sizes),
        ("LoadNpz", {"in_file": "maps.npz"}, mapped),
        ("LoadGiftiFunc", {"in_file": "maps.func.gii"}, mapped),
        ("LoadConnectome", {"in_file": "matrix.tsv"}, {"n_rows": surfaces}),
    ]


def in_a_child(call: Callable[[], Any]) -> float:
    """Call a function in a process of its own; return the peak of its memory, GiB."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            call()
            (line,) = [s for s in Path("/proc/self/status").read_text().splitlines() if s.startswith("VmHWM")]
            os.write(writing, line.split()[1].encode())
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        found = stream.read()
    os.waitpid(child, 0)
    if not found:
        raise RuntimeError("the node failed; its message stands above")
    return int(found) / 2**20


def measure(
    level: int = 6,
    k: int = 100,
    surfaces: int = 300,
    regions: int = 100,
    n_maps: int = 50,
    *,
    only: Sequence[str] = (),
) -> Iterator[tuple[str, float, float]]:
    """Run every node, or `only` some; yield name, measured and estimated peak, GiB."""
    sizes = {"n_vertices": 10 * 4**level + 2, "k": k}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        in_a_child(lambda: write_inputs(level, k, surfaces, regions, n_maps))
        for name, inputs, stated in make_cases(sizes, surfaces, regions, n_maps):
            if only and name not in only:
                continue
            peak = in_a_child(getattr(nodes, name)(**inputs).run)
            yield name, peak, estimate_mem_gb(name, **stated)
        os.chdir("/")


def main(*sizes: int) -> None:
    """Print the table."""
    idle = in_a_child(lambda: None)
    print(f"| node | measured | without the interpreter ({idle:.3f}) | estimated | ratio |")
    print("|---|---|---|---|---|")
    for name, peak, estimate in measure(*sizes):
        cells = (f"{peak:.3f}", f"{peak - idle:.3f}", f"{estimate:.3f}", f"{estimate / peak:.2f}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
