"""The C library's memory allocator, told to keep what a training step will ask for again."""

from __future__ import annotations

import ctypes

# The parameters of `mallopt`, from glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
_LARGEST, _PAD = 2**31 - 1, 2**26


def keep_freed_memory() -> bool:
    """Keeps memory that a tensor has left in the process, ready for the next tensor.

    By default glibc hands every large block back to the system as soon as it is freed. A training step on a
    CPU frees hundreds of megabytes and asks for them again, and the system clears every page of them anew: a
    third of a training step at the paper's sizes. The price is that the process does not shrink from its
    peak. It holds for the whole process, which is why no function of this package calls it for you; the
    command line does.

    Returns:
        Whether the allocator took the setting; False where the C library is not glibc.

    Example:
        >>> import interpnet_tf
        >>> kept = interpnet_tf.keep_freed_memory()

    References:
        The GNU C Library, "Malloc Tunable Parameters".
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    settings = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, _LARGEST), (_TOP_PAD, _PAD))
    return all(mallopt(name, value) == 1 for name, value in settings)
