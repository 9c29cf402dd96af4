"""Nipype interfaces: one module per module of pure functions, under the same name."""
