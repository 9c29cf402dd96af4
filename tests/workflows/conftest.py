"""A small surface with a wall, and quiet graphs."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest
from nipype import config, logging

import spectralbrain as sb
from spectralbrain.geometry.solids import sphere

config.set("execution", "poll_sleep_duration", "0.02")


@pytest.fixture(autouse=True)
def _quiet_nipype() -> None:
    for name in ("nipype.workflow", "nipype.interface", "nipype.utils"):
        logging.getLogger(name).setLevel("CRITICAL")


@pytest.fixture(scope="session")
def surfaces(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Two egg-shaped surfaces, mirror images of each other but for a dent, with masks and labels."""
    folder = tmp_path_factory.mktemp("surfaces ü")
    mesh = sphere(3, radius=40.0)
    vertices = mesh.vertices * [1.0, 1.2, 0.9]
    dented = vertices * np.where(vertices[:, 1:2] > 30, 0.95, 1.0)
    paths = {
        "left": sb.save_mesh(folder / "left.surf.gii", vertices, mesh.faces),
        "right": sb.save_mesh(folder / "right.surf.gii", dented * [-1, 1, 1], mesh.faces[:, ::-1]),
        "mask": sb.save_gifti_func(folder / "mask.shape.gii", (vertices[:, 0] > -25).astype(float)),
        "labels": folder / "labels.annot",
    }
    regions = np.digitize(vertices[:, 1], [-20.0, 20.0])
    colours = np.array([[200, 0, 0, 0], [0, 200, 0, 0], [0, 0, 200, 0]])
    nib.freesurfer.write_annot(paths["labels"], regions, colours, ["back", "middle", "front"], fill_ctab=True)
    return SimpleNamespace(folder=folder, **{name: os.fspath(path) for name, path in paths.items()})


@pytest.fixture
def repository() -> Path:
    """The root of the source tree."""
    return Path(__file__).resolve().parents[2]
