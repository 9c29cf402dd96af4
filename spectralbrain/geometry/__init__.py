"""Surface meshes: what they are, how they measure, whether they can be trusted."""
