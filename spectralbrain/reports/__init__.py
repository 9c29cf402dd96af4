"""Figures and HTML reports.

The only part of the library that draws. It needs the extra ``app``; importing it does not, and
costs nothing: the drawing libraries are imported by the first figure.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
