"""Runs the whole suite as other processors would, and prints a table of the counts.

What a test asks must hold whatever instructions oneDNN uses, with one thread or two, in any order, and beside
others. `python tests/anywhere.py [CONDITION …] [-- pytest arguments]`; without a condition, all of them.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

# By default each process of the suite has one.
TWO_THREADS = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), "2")
CONDITIONS = {
    "as it is": {},
    "AVX2": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
    "SSE4.1": {"ONEDNN_MAX_CPU_ISA": "SSE41"},
    "without oneDNN": {"TF_ENABLE_ONEDNN_OPTS": "0"},
    "two threads": TWO_THREADS,
    "one core": {},
    "random order": {"INTERPNET_TEST_ORDER": "1"},
    "beside a busy process": {},
}
PARALLEL = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
COUNTS = ("passed", "failed", "skipped", "error")
ROOT = Path(__file__).parents[1]


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """Keeps each core at work meanwhile."""
    spin = [sys.executable, "-c", "while True: pass"]
    spinning = [subprocess.Popen(spin) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def run(condition: str, arguments: list[str]) -> dict[str, float]:
    """Runs pytest under a condition; returns its counts and the minutes it took."""
    command = [sys.executable, "-m", "pytest", *arguments]
    if condition == "one core" and sys.platform == "linux":
        command = ["taskset", "-c", "0", *command]
    begin, summary = time.monotonic(), ""
    with busy() if condition == "beside a busy process" else contextlib.nullcontext():
        environment = {**os.environ, **CONDITIONS[condition]}
        with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as tests:
            for line in tests.stdout:
                print(line, end="", flush=True)
                summary = line if re.search(r"\d+ (passed|failed|error).* in ", line) else summary
    counts = {name: sum(map(int, re.findall(rf"(\d+) {name}", summary))) for name in COUNTS}
    if not summary:
        counts["error"] = 1
    return {**counts, "minutes": (time.monotonic() - begin) / 60}


def main() -> int:
    names = sys.argv[1:]
    arguments = names[names.index("--") + 1 :] if "--" in names else PARALLEL
    names = names[: names.index("--")] if "--" in names else names
    unknown = set(names) - set(CONDITIONS)
    if unknown:
        sys.exit(f"unknown conditions {sorted(unknown)}; there are {', '.join(CONDITIONS)}")
    rows = {}
    for name in names or CONDITIONS:
        print(f"== {name}", flush=True)
        rows[name] = run(name, arguments)
    print(
        "| condition | passed | failed | skipped | errors | minutes |", "|---|---|---|---|---|---|", sep="\n"
    )
    for name, row in rows.items():
        print(f"| {name} | {' | '.join(str(row[count]) for count in COUNTS)} | {row['minutes']:.1f} |")
    return int(any(row["failed"] or row["error"] for row in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
