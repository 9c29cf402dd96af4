"""The version, alone in a file so that the build and the hashes of the nodes can read it."""

__version__ = "0.2.0"
