"""The deployment kit, which lies in `export/` and `notebooks/` of the repository, in a folder of the user's.

The two links beside this file lead there, so that a wheel holds the kit and the repository holds it once.
"""

from interpnet_tf.kit.writing import write_kit

__all__ = ["write_kit"]
