"""A classifier opened up: its graph, its activations by name, r(x), what its output means."""
