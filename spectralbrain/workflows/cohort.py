"""The workflow of a group: tables over participants, distances between them, outliers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nipype.interfaces.utility import IdentityInterface
from nipype.pipeline import engine as pe

import spectralbrain.interfaces as interfaces
from spectralbrain.interfaces.memory import estimate_mem_gb

OUTPUTS = {
    "participants": "participants_table",
    "shapedna": "shapedna_table",
    "distances": "distance_matrix",
    "deviations": "deviations_table",
    "outliers": "outliers_table",
}


def init_group_wf(
    *,
    name: str = "group_wf",
    k: int | None = None,
    method: str = "shapedna",
    options: Mapping[str, Any] | None = None,
    threshold: float = 3.5,
    n_surfaces: int = 1000,
) -> pe.Workflow:
    """Build the workflow of a group of surfaces, one per participant.

    Parameters
    ----------
    name : str
        Name of the workflow.
    k : int, optional
        How many non-null eigenvalues enter; all if omitted.
    method : {'shapedna', 'wesd'}
        Distance between participants.
    options : mapping, optional
        Options of the method: metric, normalization, index, or p.
    threshold : float
        Absolute robust z beyond which a participant is an outlier.
    n_surfaces : int
        Expected number of participants, for the scheduler's memory.

    Inputs
    ------
    in_files
        Eigenpairs, one HDF5 file per participant; a status row of a node that recorded its failure
        becomes a row without values.
    names
        Optional: one name per file.
    entities
        Optional: one mapping per file, for example ``{"participant_id": "sub-01"}``.

    Outputs
    -------
    participants_table
        Sizes and eigenvalues, TSV.
    shapedna_table
        Normalised spectra, TSV.
    distance_matrix
        Distances between participants, TSV.
    deviations_table
        Distance of each participant from the group's median, TSV.
    outliers_table
        Robust z of these distances, TSV.

    Returns
    -------
    nipype.pipeline.engine.Workflow

    Examples
    --------
    >>> workflow = init_group_wf(k=20)
    >>> workflow.get_node("distances").inputs.k
    20
    """
    workflow = pe.Workflow(name=name)
    fields = ["in_files", "names", "entities"]
    inputnode = pe.Node(IdentityInterface(fields), name="inputnode")
    outputnode = pe.Node(IdentityInterface(list(OUTPUTS.values())), name="outputnode")
    limited = {} if k is None else {"k": k}
    given = {} if options is None else {"options": dict(options)}
    columns = {} if k is None else {"n_eigenvalues": k}
    outliers = {"values_column": "deviation", "measure": "shapedna", "threshold": threshold}
    kinds = {
        "participants": interfaces.ParticipantsTable(**columns),
        "shapedna": interfaces.ShapeDNATable(**limited),
        "distances": interfaces.DistanceMatrix(method=method, **limited, **given),
        "deviations": interfaces.ShapeDNADeviations(**limited),
        "outliers": interfaces.FindOutliers(**outliers),
    }
    nodes = {}
    for key, kind in kinds.items():
        mem_gb = estimate_mem_gb(type(kind).__name__, k=k or 100, n_rows=n_surfaces)
        nodes[key] = pe.Node(kind, name=key, mem_gb=mem_gb)
        if key != "outliers":
            workflow.connect([(inputnode, nodes[key], [(field, field) for field in fields])])
    workflow.connect(nodes["deviations"], "out_file", nodes["outliers"], "values_file")
    for key, output in OUTPUTS.items():
        workflow.connect(nodes[key], "out_file", outputnode, output)
    return workflow
