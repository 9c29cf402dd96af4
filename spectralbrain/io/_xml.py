"""Parse XML that nobody vouches for: no entities, nothing fetched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.parsers import expat

from spectralbrain.errors import FormatError

LARGEST_DEPTH = 100


def parse_xml(
    content: bytes,
    path: Path,
    *,
    start: Callable[[str, dict[str, str]], Any],
    end: Callable[[str, str], Any],
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
        Called with the name and text of each element that closes (text directly inside it).
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

    def refuse(*_: Any) -> Any:
        raise FormatError(f"{path}: the XML declares an entity: refused")

    def open_element(name: str, attributes: dict[str, str]) -> None:
        if len(texts) > LARGEST_DEPTH:
            raise FormatError(f"{path}: the XML nests more than {LARGEST_DEPTH} elements: refused")
        texts.append([])
        start(name, attributes)

    def close_element(name: str) -> None:
        end(name, "".join(texts.pop()))

    parser.EntityDeclHandler = refuse
    parser.UnparsedEntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    parser.StartElementHandler = open_element
    parser.EndElementHandler = close_element
    parser.CharacterDataHandler = lambda text: texts[-1].append(text)
    try:
        parser.Parse(content, complete)
    except FormatError:
        raise
    except (expat.ExpatError, LookupError, ValueError) as error:  # the last two: a strange encoding
        raise FormatError(f"{path}: the XML is damaged or truncated ({error})") from error
