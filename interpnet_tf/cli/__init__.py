"""The command line `interpnet`: parsing and printing only, one file a command."""

from interpnet_tf.cli.main import main

__all__ = ["main"]
