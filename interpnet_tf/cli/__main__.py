"""`python -m interpnet_tf.cli` is `interpnet`."""

import sys

from interpnet_tf.cli import main

if __name__ == "__main__":
    sys.exit(main())
