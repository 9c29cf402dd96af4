"""Discretisations of the Laplace-Beltrami operator."""
