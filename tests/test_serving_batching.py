"""Requests that arrive together run together, within limits."""

import asyncio
import threading
import time

import numpy as np
import pytest

from interpnet_tf.serving.batching import Batcher
from interpnet_tf.serving.errors import ServingError
from interpnet_tf.serving.metrics import Metrics


class Doubling:
    """Stands in for a signature: doubles rows, remembers its batches, and refuses negative rows."""

    name = "doubling"
    inputs = ("x",)

    def __init__(self, is_batched=True, seconds=0.0):
        self.is_batched, self.seconds, self.batches = is_batched, seconds, []
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.may_end.set()

    def check(self, arrays):
        return len(arrays["x"])

    def __call__(self, arrays):
        time.sleep(self.seconds)
        self.begun.set()
        self.may_end.wait(60)
        self.batches.append(len(arrays["x"]))
        if (arrays["x"] < 0).any():
            raise ValueError("negative")
        return {"y": 2 * arrays["x"]}


def run_all(signature, requests, **options):
    """Sends all requests at once; returns what each got."""
    options = {"max_batch_size": 8, "timeout": 0.05, "max_queued_rows": 100, "threads": 1} | options

    async def work():
        batcher = Batcher(**{"enabled": True, "metrics": Metrics()} | options)
        asked = [batcher.run(signature, {"x": np.array(request, float)}) for request in requests]
        results = await asyncio.gather(*asked, return_exceptions=True)
        await batcher.close()
        return results

    return asyncio.run(work())


def values(results):
    return [result["y"].tolist() for result in results]


def test_each_gets_its_own_rows():
    signature = Doubling()
    results = run_all(signature, [[1], [2, 3], [4, 5, 6]])
    assert values(results) == [[2], [4, 6], [8, 10, 12]]
    assert signature.batches == [6]


def test_a_full_batch_does_not_wait():
    signature = Doubling()
    begin = time.monotonic()
    run_all(signature, [[1]] * 8, timeout=30)
    assert time.monotonic() - begin < 10
    assert signature.batches == [8]


def test_batches_stay_within_the_limit():
    signature = Doubling()
    run_all(signature, [[1] * 3] * 5)
    assert signature.batches == [6, 6, 3]


def test_a_busy_server_batches_without_waiting():
    signature = Doubling()
    signature.may_end.clear()

    async def work():
        batcher = Batcher(8, 0.0, 100, 1, True, Metrics())
        first = asyncio.create_task(batcher.run(signature, {"x": np.ones(1)}))
        await asyncio.to_thread(signature.begun.wait, 60)
        others = [asyncio.create_task(batcher.run(signature, {"x": np.ones(1)})) for _ in range(5)]
        await asyncio.sleep(0)
        signature.may_end.set()
        await asyncio.gather(first, *others)
        await batcher.close()

    asyncio.run(work())
    assert signature.batches == [1, 5]


@pytest.mark.parametrize(("is_batched", "enabled"), [(False, True), (True, False)])
def test_alone(is_batched, enabled):
    signature = Doubling(is_batched)
    assert values(run_all(signature, [[1], [2]], enabled=enabled)) == [[2], [4]]
    assert signature.batches == [1, 1]


def test_only_like_shapes_share_a_batch():
    signature = Doubling()
    results = run_all(signature, [[[1, 2]], [[1, 2, 3]], [[3, 4]]])
    assert values(results) == [[[2, 4]], [[2, 4, 6]], [[6, 8]]]
    assert sorted(signature.batches) == [1, 2]


def test_one_that_fails_does_not_spoil_the_others():
    first, wrong, last = run_all(Doubling(), [[1], [-1], [2]])
    assert values([first, last]) == [[2], [4]]
    assert isinstance(wrong, ValueError)


def test_limits():
    (result,) = run_all(Doubling(), [[1] * 9])
    assert isinstance(result, ServingError)
    assert result.http_status == 400
    results = run_all(Doubling(seconds=0.01), [[1] * 8] * 4, max_queued_rows=16)
    refused = [result for result in results if isinstance(result, ServingError)]
    assert [error.http_status for error in refused] == [503, 503]
    assert "try again later" in refused[0].message


def test_who_gives_up_is_not_run():
    signature = Doubling()

    async def work():
        batcher = Batcher(8, 0.05, 100, 1, True, Metrics())
        asked = [asyncio.create_task(batcher.run(signature, {"x": np.ones(1)})) for _ in range(3)]
        await asyncio.sleep(0)
        asked[1].cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        await batcher.close()

    asyncio.run(work())
    assert signature.batches == [2]
