"""Eigenpairs, descriptors, distances and connectomes."""
