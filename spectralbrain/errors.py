"""The errors this library raises.

Each derives from :class:`SpectralBrainError` and from the builtin a caller would expect, so both
``except SpectralBrainError`` and ``except ValueError`` work. A message names the argument or the
file, what was expected and what was found.
"""


class SpectralBrainError(Exception):
    """Base of every error raised on purpose by this library."""


class ArrayError(SpectralBrainError, ValueError):
    """An array argument has a wrong shape or forbidden values."""


class ArrayTypeError(ArrayError, TypeError):
    """An array argument has a dtype that cannot serve: masked, complex, object, text."""


class MetadataError(SpectralBrainError, TypeError):
    """A metadata value cannot be stored so that it comes back equal."""


class MeshError(SpectralBrainError, ValueError):
    """A surface mesh is not usable for the requested computation."""


class FormatError(SpectralBrainError, ValueError):
    """A file is truncated, damaged, hostile or not of the expected format."""


class BIDSError(SpectralBrainError, ValueError):
    """A dataset, a name or a sidecar breaks the conventions that are needed to read or write it."""


class IncompatibleError(SpectralBrainError, ValueError):
    """Results that were computed in different ways were about to be compared."""


class ConvergenceError(SpectralBrainError, RuntimeError):
    """Eigenpairs could not be computed or verified to the requested tolerance."""


class MissingDependencyError(SpectralBrainError, ImportError):
    """A feature needs an optional package that is not installed; the message says which."""
