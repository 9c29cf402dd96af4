"""Spectral shape analysis of the brain: Laplace-Beltrami spectra, descriptors, exports, Nipype nodes.

The public names are listed in ``__init__.pyi`` and loaded on first use, so that importing the
package costs no more than starting Python.
"""

import lazy_loader

from spectralbrain._version import __version__

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]
