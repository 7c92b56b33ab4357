"""Counters, gauges and histograms in the text format of Prometheus."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


def _labels(labels: Sequence[tuple[str, str]]) -> str:
    def escaped(value: str) -> str:
        return str(value).replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")

    inner = ",".join(f'{name}="{escaped(value)}"' for name, value in labels)
    return f"{{{inner}}}" if inner else ""


class Metric:
    """A number for each set of labels.

    Args:
        name: as Prometheus will know it.
        text: what it counts.
        kind: `counter` or `gauge`.
    """

    def __init__(self, name: str, text: str, kind: str):
        self.name, self.text, self.kind = name, text, kind
        self._values: dict[tuple[tuple[str, str], ...], float] = {}

    def add(self, amount: float = 1, **labels: str) -> None:
        """Adds to the number of these labels."""
        key = tuple(labels.items())
        self._values[key] = self._values.get(key, 0) + amount

    def set(self, value: float, **labels: str) -> None:
        """Replaces the number of these labels."""
        self._values[tuple(labels.items())] = value

    def clear(self) -> None:
        """Forgets every number."""
        self._values.clear()

    def lines(self) -> Iterator[str]:
        """Yields the lines of the text format."""
        yield f"# HELP {self.name} {self.text}"
        yield f"# TYPE {self.name} {self.kind}"
        for key, value in self._values.items():
            yield (
                f"{self.name}{_labels(key)} {value:g}"
                if value % 1
                else f"{self.name}{_labels(key)} {int(value)}"
            )


class Histogram:
    """How often a value fell under each of some bounds.

    Args:
        name: as Prometheus will know it.
        text: what it measures.
        bounds: ascending; one more, infinity, is understood.
    """

    def __init__(self, name: str, text: str, bounds: Sequence[float]):
        self.name, self.text, self.bounds = name, text, bounds
        self._counts: dict[tuple[tuple[str, str], ...], list[int]] = {}
        self._sums: dict[tuple[tuple[str, str], ...], float] = {}

    def observe(self, value: float, **labels: str) -> None:
        """Counts a value."""
        key = tuple(labels.items())
        counts = self._counts.setdefault(key, [0] * (len(self.bounds) + 1))
        counts[bisect.bisect_left(self.bounds, value)] += 1
        self._sums[key] = self._sums.get(key, 0.0) + value

    def lines(self) -> Iterator[str]:
        """Yields the lines of the text format."""
        yield f"# HELP {self.name} {self.text}"
        yield f"# TYPE {self.name} histogram"
        for key, counts in self._counts.items():
            total = 0
            for bound, count in zip((*self.bounds, float("inf")), counts, strict=True):
                total += count
                limit = "+Inf" if bound == float("inf") else f"{bound:g}"
                yield f"{self.name}_bucket{_labels((*key, ('le', limit)))} {total}"
            yield f"{self.name}_sum{_labels(key)} {self._sums[key]:.9g}"
            yield f"{self.name}_count{_labels(key)} {total}"


class Metrics:
    """What the server measures of itself.

    Example:
        >>> metrics = Metrics()
        >>> metrics.requests.add(api="rest", code="OK")
        >>> print(metrics.text().splitlines()[2])
        interpnet_serving_requests_total{api="rest",code="OK"} 1
    """

    def __init__(self):
        self.requests = Metric("interpnet_serving_requests_total", "Predict requests answered.", "counter")
        self.request_seconds = Histogram(
            "interpnet_serving_request_seconds", "Latency of predict requests in the server.", SECONDS
        )
        self.batch_rows = Histogram("interpnet_serving_batch_rows", "Rows of the batches that ran.", ROWS)
        self.queued_rows = Metric("interpnet_serving_queued_rows", "Rows that wait for a thread.", "gauge")
        self.in_flight = Metric("interpnet_serving_requests_in_flight", "Predict requests at work.", "gauge")
        self.versions = Metric("interpnet_serving_model_version", "1 for the state of a version.", "gauge")
        self.looks = Metric(
            "interpnet_serving_version_looks",
            "Looks at the folder of versions; grows while it is watched.",
            "gauge",
        )

    def text(self) -> str:
        """Returns everything in the text format."""
        return "".join(line + "\n" for metric in vars(self).values() for line in metric.lines())
