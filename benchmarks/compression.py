"""Deflate libraries on a shuffled chunk of modes as `save_hdf5` cuts it: the table of docs/dependencies.md.

    python benchmarks/compression.py

Modes are those of the left fsaverage5 surface. Speeds are ratios to the standard library's zlib at level 4
on one core, the best of some runs; sizes are relative to its output. The packages isal and zlib-ng are
measured if they are installed.
"""

from __future__ import annotations

import importlib
import time
import zlib
from collections.abc import Callable, Iterator

import deflate
import nilearn
import numpy as np

import spectralbrain as sb
from spectralbrain.io._hdf5_chunks import _compress_planes, chunk_shape

MODES = 50
RUNS = 15

Codec = tuple[str, Callable[[], bytes], Callable[[bytes], object]]


def best(function: Callable[[], object]) -> float:
    """Return the best time of some runs, in seconds."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def codecs(planes: np.ndarray) -> Iterator[Codec]:
    """Yield a name and what compresses and decompresses the bytes of the planes."""
    shuffled = planes.tobytes()
    for level in (1, 4):
        yield (
            f"libdeflate, level {level}",
            lambda level=level: deflate.zlib_compress(shuffled, level),
            lambda stream: deflate.zlib_decompress(stream, len(shuffled)),
        )
    for name, module, level in (
        ("ISA-L (package isal)", "isal.isal_zlib", 1),
        ("zlib-ng", "zlib_ng.zlib_ng", 2),
    ):
        try:
            peer = importlib.import_module(module)
        except ImportError:
            continue
        yield f"{name}, level {level}", lambda p=peer, n=level: p.compress(shuffled, n), peer.decompress
    yield (
        "ours: noise stored, the rest by libdeflate",
        lambda: b"".join(_compress_planes(planes, 4)),
        lambda stream: deflate.deflate_decompress(stream, len(shuffled)),
    )


def main() -> None:
    """Print the table."""
    surface = nilearn.__path__[0] + "/datasets/data/fsaverage5/white_left.gii.gz"
    modes = sb.load_mesh(surface).decompose(k=MODES).eigenvectors
    rows, columns = chunk_shape(modes.shape, modes.itemsize)
    chunk = np.ascontiguousarray(modes[:rows, :columns])
    planes = np.ascontiguousarray(chunk.reshape(-1).view(np.uint8).reshape(-1, chunk.itemsize).T)
    shuffled = planes.tobytes()
    noise = np.mean([len(zlib.compress(plane.tobytes(), 9)) > 0.99 * plane.size for plane in planes])
    print(f"{len(shuffled) / 2**20:.1f} MiB, {noise:.0%} of it noise that zlib at level 9 does not shrink\n")
    reference = zlib.compress(shuffled, 4)
    compress = best(lambda: zlib.compress(shuffled, 4))
    decompress = best(lambda: zlib.decompress(reference))
    print("| | compress | decompress | size |\n|---|---|---|---|")
    for name, pack, unpack in codecs(planes):
        stream = pack()
        faster = [compress / best(pack), decompress / best(lambda u=unpack, s=stream: u(s))]
        print(f"| {name} | {faster[0]:.1f} | {faster[1]:.1f} | {len(stream) / len(reference):.2f} |")


if __name__ == "__main__":
    main()
