"""``spectralbrain INPUT OUTPUT {participant,group}``: parse, then import, then run."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from spectralbrain.cli import exits
from spectralbrain.cli.parser import parse_args

BLAS_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "LP_NUM_THREADS")


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the app and exit.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name.
    """
    sys.exit(run(argv))


def run(argv: Sequence[str] | None = None) -> int:
    """Run the app and return its exit code."""
    options = parse_args(argv)
    # Libraries read these once, when they are loaded. BLAS has one thread: those of a step are ours.
    os.environ.update(dict.fromkeys(BLAS_VARIABLES, "1"))
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(options.omp_nthreads or 1)))
    os.environ.setdefault("NIPYPE_NO_ET", "1")  # Nipype would ask a server for its newest version
    signal.signal(signal.SIGTERM, _terminate)
    from spectralbrain.cli.run import run_app

    try:
        return run_app(options)
    except KeyboardInterrupt:
        print("spectralbrain: interrupted; run the same command again to go on", file=sys.stderr)
        return exits.INTERRUPTED


def _terminate(signum: int, frame: object) -> NoReturn:
    print("spectralbrain: stopped by SIGTERM; run the same command again to go on", file=sys.stderr)
    raise SystemExit(exits.TERMINATED)


if __name__ == "__main__":
    main()
