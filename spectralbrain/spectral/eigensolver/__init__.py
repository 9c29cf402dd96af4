"""The generalised symmetric eigenproblem A x = lambda B x: smallest eigenpairs, verified complete."""
