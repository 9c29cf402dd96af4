"""The fast way to read a large table of numbers, for tables as this library and pandas write them."""

from __future__ import annotations

import io

import numpy as np
from threadpoolctl import threadpool_limits

from spectralbrain.resources import resolve_threads
from spectralbrain.runtime import ConnectomeMatrix

# What may follow each kind of character in a column of numbers; '0' stands for any digit
_FOLLOWERS = {
    "\n": "0.-n",
    "-": "0.",
    "0": "0.e\n",
    ".": "0e\n",
    "e": "0-+",
    "+": "0",
    "n": "/",
    "/": "a",
    "a": "\n",
}
_KIND_OF = {kind: kind for kind in _FOLLOWERS} | dict.fromkeys("123456789", "0")
_ORDER = [*_FOLLOWERS, "other"]
_KINDS = bytes(_ORDER.index(_KIND_OF.get(chr(code), "other")) for code in range(256))
_FITTING = bytes(
    _ORDER.index(first) * len(_ORDER) + _ORDER.index(second)
    for first, followers in _FOLLOWERS.items()
    for second in followers
)


def parse_plain_matrix(rows: list[str]) -> ConnectomeMatrix | None:
    """Return the numbers of a large table, None if any of them is not written as this library does.

    SciPy's reader of Matrix Market files is as exact as :class:`float` and several times faster, but
    overlooks what follows a number and the sign of zero; both are looked after here.
    """
    from scipy.io import mminfo, mmread

    cells = ("\n" + "\n".join(rows) + "\n").replace("\t", "\n").encode()
    kinds = np.frombuffer(cells.translate(_KINDS), np.uint8)
    pairs = kinds[:-1] * len(_ORDER) + kinds[1:]
    marks = cells.translate(None, b"0123456789+-")
    if pairs.tobytes().translate(None, _FITTING) or any(two in marks for two in (b"..", b"e.", b"ee")):
        return None
    head = f"%%MatrixMarket matrix array real general\n{len(rows)} {len(rows)}"
    file = io.BytesIO(head.encode() + cells.replace(b"n/a", b"nan"))
    mminfo(file)  # loads the reader, whose threads can then be limited; the calling one feeds them
    file.seek(0)
    try:
        with threadpool_limits(max(1, resolve_threads() - 1), user_api="scipy"):
            matrix: ConnectomeMatrix = mmread(file).T.copy()
    except (ValueError, OverflowError):
        return None
    if np.isinf(matrix).any():
        return None
    zero = np.flatnonzero(matrix == 0)
    if len(zero):
        text = np.frombuffer(cells, np.uint8)
        first = text[np.flatnonzero(text[:-1] == ord("\n"))[zero] + 1]
        matrix.flat[zero[first == ord("-")]] = -0.0
    return matrix
