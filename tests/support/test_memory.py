"""The allocator's setting, and what it spares."""

import subprocess
import sys

import pytest

PAGES = """
import resource, sys
import numpy as np
import interpnet_tf
if sys.argv[1] == "keep":
    assert interpnet_tf.keep_freed_memory()
faults = []
for _ in range(4):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(12_500_000)  # 100 MB
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(faults[-1])
"""


def faults(setting: str) -> int:
    program = [sys.executable, "-c", PAGES, setting]
    return int(subprocess.run(program, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a setting of glibc")
def test_a_freed_block_is_used_again_without_new_pages():
    # An array of 100 MB has 24,414 pages of 4 KB, or 48 of 2 MB; all are new unless the block is kept.
    assert faults("give back") >= 48
    assert faults("keep") <= 10
