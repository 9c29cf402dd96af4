"""Parse XML that nobody vouches for: no entities, nothing fetched."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.parsers import expat

from spectralbrain.errors import FormatError

LARGEST_DEPTH = 100
_TAG = re.compile(rb"<(?:[^>\"']|\"[^\"]*\"|'[^']*')*>")


def parse_xml(
    content: bytes,
    path: Path,
    *,
    start: Callable[[str, dict[str, str]], Any],
    end: Callable[[str, Any], Any],
    data: str = "",
    complete: bool = True,
) -> None:
    """Walk through the elements of an XML document.

    Parameters
    ----------
    content : bytes
        The document, or with ``complete=False`` its beginning.
    path : Path
        For the message.
    start : callable
        Called with the name and attributes of each element that opens.
    end : callable
        Called with the name and text of each element that closes (text directly inside it). The
        text of `data` elements comes as bytes, that of elements inside them not at all.
    data : str
        Name of the elements that hold the bulk of the file as plain ASCII. Their text is cut out of
        the document without decoding it, which halves the time.
    complete : bool
        Whether the document must end.

    Raises
    ------
    FormatError
        If the document is not well-formed, declares an entity, or nests too deeply.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = 2**20
    texts: list[list[str]] = [[]]
    cut = _Cut(content, path)

    def refuse(*_: Any) -> Any:
        raise FormatError(f"{path}: the XML declares an entity: refused")

    def gather(text: str) -> None:
        texts[-1].append(text)

    def open_element(name: str, attributes: dict[str, str]) -> None:
        if len(texts) > LARGEST_DEPTH:
            raise FormatError(f"{path}: the XML nests more than {LARGEST_DEPTH} elements: refused")
        texts.append([])
        if cut.depth or name == data:
            parser.CharacterDataHandler = None
            cut.open(parser.CurrentByteIndex)
        start(name, attributes)

    def close_element(name: str) -> None:
        text: str | bytes = "".join(texts.pop())
        if cut.depth:
            raw = cut.close(parser.CurrentByteIndex)
            if not cut.depth:
                text = raw
                parser.CharacterDataHandler = gather
        end(name, text)

    parser.EntityDeclHandler = refuse
    parser.UnparsedEntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    parser.StartElementHandler = open_element
    parser.EndElementHandler = close_element
    parser.CharacterDataHandler = gather
    try:
        parser.Parse(content, complete)
    except FormatError:
        raise
    except (expat.ExpatError, LookupError, ValueError) as error:  # the last two: a strange encoding
        raise FormatError(f"{path}: the XML is damaged or truncated ({error})") from error


class _Cut:
    """Cuts the text of an element out of the document, without that of the elements inside it."""

    def __init__(self, content: bytes, path: Path) -> None:
        self.content, self.path = content, path
        self.depth = 0
        self._parts: list[bytes] = []
        self._begin = 0

    def open(self, index: int) -> None:
        if self.depth:
            self._parts.append(self.content[self._begin : index])
        self.depth += 1
        self._begin = self._after_tag(index)

    def close(self, index: int) -> bytes:
        """Return the text if the outermost element closes, else nothing."""
        self.depth -= 1
        if self.depth:
            self._begin = self._after_tag(index)
            return b""
        parts, self._parts = [*self._parts, self.content[self._begin : index]], []
        return b"".join(parts)

    def _after_tag(self, index: int) -> int:
        tag = _TAG.match(self.content, index)
        if tag is None:
            raise FormatError(f"{self.path}: the XML is not in an encoding based on ASCII")
        return tag.end()
