#!/usr/bin/env bash
# apptainer.sh: the app inside the Apptainer image named by SB_IMAGE; set SB_PROGRAM to this file.
set -euo pipefail
image=${SB_IMAGE:?set SB_IMAGE to the path of spectralbrain.sif}
exec apptainer run --cleanenv --containall --no-home \
  -B "$SB_INPUT:$SB_INPUT:ro" -B "$SB_OUTPUT:$SB_OUTPUT" -B "$SB_WORK:$SB_WORK" "$image" "$@"
