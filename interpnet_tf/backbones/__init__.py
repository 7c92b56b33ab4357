"""Image backbones, and the features that they give a classifier."""
