"""The job array of containers/README.md as it stands there, on small data and few modes."""

from __future__ import annotations

import re
import shutil
import stat
import sys
from pathlib import Path

from daemons import CHECKOUT, MODES, follow, measured, parts, recipe, wait_for

#: Apptainer needs a root of its own (test_apptainer.py): this runs the app with the same words.
APPTAINER = f"""#!/usr/bin/env bash
[ "$1" = run ] || exit 64
while [ "${{1%.sif}}" = "$1" ]; do shift; done
shift
exec {Path(sys.executable).with_name("spectralbrain")} "$@" {" ".join(MODES)} --no-report
"""


def test_the_array_with_and_without_the_image(slurm, dataset, native, folder):
    shutil.copytree(dataset, folder / "data" / "fmriprep")
    program = folder / "bin" / "apptainer"
    program.parent.mkdir()
    program.write_text(APPTAINER)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    commands = (
        recipe("slurm", folder)
        .replace("--mem=4G", "--mem=900")
        .replace("--modes 200", " ".join([*MODES, "--no-report"]))
    )
    environment = {**slurm.environment, "PATH": f"{program.parent}:{slurm.environment['PATH']}"}
    for lines in parts(commands, "SB_PROGRAM"):
        printed = follow("", lines, env={**environment, "SB_SBATCH": "--mem=900"}, cwd=CHECKOUT)
        group = re.findall(r"group: (\d+)", printed)[0]
        wait_for(lambda job=group: slurm.ended(job), 300, "the group job")
        assert slurm.state(group)["ExitCode"] == "0:0"
        assert measured(folder / "data" / "spectralbrain") == measured(native)
        shutil.rmtree(folder / "data" / "spectralbrain")
        shutil.rmtree(folder / "data" / "spectralbrain-work")
