"""Batching across requests: rows that arrive together run together."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import numpy as np

from interpnet_tf.serving import pictures
from interpnet_tf.serving.errors import ServingError, invalid
from interpnet_tf.serving.metrics import Metrics
from interpnet_tf.serving.servable import Signature

Arrays = Mapping[str, np.ndarray]

MOST_PIXELS = 2**24  # of a batch: some tenths of a second, and 50 MB
LIGHT_PIXELS = 2**22  # of a request that shares batches and threads with others


@dataclasses.dataclass
class _Task:
    arrays: Arrays
    rows: int
    future: asyncio.Future
    arrived: float
    pixels: int = 0


class _Lane:
    """Threads that run batches, and who may take one."""

    def __init__(self, threads: int, name: str):
        self.free = asyncio.Semaphore(threads)
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix=name)


class Batcher:
    """Runs requests on threads of its own, several of one kind in one batch.

    Requests are of one kind if they ask for the same signature of the same version, and their arrays have the
    same shapes but for the number of rows. A batch starts once it is full, or once its first request has
    waited for `timeout` seconds and a thread is free: the busier the server, the larger the batches.

    Pictures take as long as they have pixels: a batch has at most `MOST_PIXELS` of them. A request with more
    runs in parts, and one with more than `LIGHT_PIXELS` on a thread beside the others.

    Args:
        max_batch_size: the most rows of a batch, and of a request.
        timeout: seconds that a request waits for others to join it.
        max_queued_rows: more rows waiting than these are refused.
        threads: batches that run at a time.
        enabled: whether requests share batches at all.
        metrics: counts rows and batches.
    """

    def __init__(
        self,
        max_batch_size: int,
        timeout: float,
        max_queued_rows: int,
        threads: int,
        enabled: bool,
        metrics: Metrics,
    ):
        self.max_batch_size = max_batch_size
        self.timeout = timeout
        self.max_queued_rows = max_queued_rows
        self.enabled = enabled
        self._metrics = metrics
        self._queued_rows = 0
        self._queues: dict[Any, collections.deque[_Task]] = {}
        self._filled: dict[Any, asyncio.Event] = {}
        self._running: set[asyncio.Task] = set()
        self._light = _Lane(threads, "inference")
        self._heavy = _Lane(1, "pictures")
        self._headers = ThreadPoolExecutor(1, thread_name_prefix="headers")

    async def run(self, signature: Signature, arrays: Arrays) -> dict[str, np.ndarray]:
        """Runs a signature, alone or in a batch with others.

        Args:
            signature: what to run. Its model must stay loaded until this returns.
            arrays: one an input.

        Returns:
            One array an output, with the rows of this request.

        Raises:
            ServingError: if the arrays do not fit, or too much is waiting already.
        """
        rows = signature.check(arrays)
        if rows > self.max_batch_size:
            raise invalid(
                f"Task size {rows} is larger than maximum batch size {self.max_batch_size}; "
                f"send at most {self.max_batch_size} rows in a request"
            )
        pixels = await self._read_pixels(arrays)
        if pixels is None or pixels.sum() <= MOST_PIXELS or not signature.is_batched:
            return await self._queue(signature, arrays, rows, 0 if pixels is None else int(pixels.sum()))
        results = []
        for part in pictures.slices(pixels.tolist(), MOST_PIXELS):  # one after another, to let others pass
            some = {name: array[part] for name, array in arrays.items()}
            results.append(
                await self._queue(signature, some, part.stop - part.start, int(pixels[part].sum()))
            )
        return {name: np.concatenate([result[name] for result in results]) for name in results[0]}

    async def _read_pixels(self, arrays: Arrays) -> np.ndarray | None:
        if pictures.INPUT not in arrays:
            return None
        return await asyncio.get_running_loop().run_in_executor(self._headers, pictures.read_pixels, arrays)

    async def _queue(
        self, signature: Signature, arrays: Arrays, rows: int, pixels: int
    ) -> dict[str, np.ndarray]:
        if self._queued_rows + rows > self.max_queued_rows:
            raise ServingError(
                grpc.StatusCode.UNAVAILABLE,
                f"{self._queued_rows} rows are waiting, and the queue takes {self.max_queued_rows}; "
                "try again later",
            )
        loop = asyncio.get_running_loop()
        task = _Task(arrays, rows, loop.create_future(), loop.time(), pixels)
        lane = self._heavy if pixels > LIGHT_PIXELS else self._light
        key = self._key(signature, task, lane)
        if key not in self._queues:
            self._queues[key] = collections.deque()
            self._filled[key] = asyncio.Event()
            self._start(self._serve_queue(key, signature, lane))
        self._queues[key].append(task)
        self._count_queued(rows)
        if self._rows_in(key) >= self.max_batch_size:
            self._filled[key].set()
        return await task.future

    async def close(self) -> None:
        """Finishes what is queued and ends the threads."""
        while self._running:
            await asyncio.wait(self._running)
        for threads in (self._light.threads, self._heavy.threads, self._headers):
            threads.shutdown()

    def _key(self, signature: Signature, task: _Task, lane: _Lane) -> Any:
        if not (self.enabled and signature.is_batched):
            return id(task)
        return signature, lane, tuple(task.arrays[name].shape[1:] for name in signature.inputs)

    def _start(self, work: Any) -> None:
        running = asyncio.get_running_loop().create_task(work)
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    def _rows_in(self, key: Any) -> int:
        return sum(task.rows for task in self._queues[key])

    def _count_queued(self, rows: int) -> None:
        self._queued_rows += rows
        self._metrics.queued_rows.set(self._queued_rows)

    async def _serve_queue(self, key: Any, signature: Signature, lane: _Lane) -> None:
        """Forms batches of one kind until none is left."""
        alone = isinstance(key, int)
        while self._queues[key]:
            if not alone:
                await self._wait_for_others(key)
            await lane.free.acquire()
            self._start(self._run_batch(signature, self._take(key), lane))
        del self._queues[key], self._filled[key]

    async def _wait_for_others(self, key: Any) -> None:
        left = self._queues[key][0].arrived + self.timeout - asyncio.get_running_loop().time()
        if left > 0 and self._rows_in(key) < self.max_batch_size:
            self._filled[key].clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._filled[key].wait(), left)

    def _take(self, key: Any) -> list[_Task]:
        queue, batch, rows, pixels = self._queues[key], [], 0, 0
        while queue and rows + queue[0].rows <= self.max_batch_size:
            if batch and pixels + queue[0].pixels > MOST_PIXELS:
                break
            task = queue.popleft()
            self._count_queued(-task.rows)
            if not task.future.cancelled():  # its client gave up
                batch.append(task)
                rows += task.rows
                pixels += task.pixels
        return batch

    async def _run_batch(self, signature: Signature, batch: list[_Task], lane: _Lane) -> None:
        try:
            if batch:
                self._metrics.batch_rows.observe(sum(task.rows for task in batch), signature=signature.name)
                loop = asyncio.get_running_loop()
                run = signature.beside if lane is self._heavy else signature
                results = await loop.run_in_executor(lane.threads, _run_tasks, signature, run, batch)
                for task, result in zip(batch, results, strict=True):
                    if task.future.cancelled():
                        continue
                    if isinstance(result, Exception):
                        traceback.clear_frames(result.__traceback__)  # they hold the arrays of the batch
                        task.future.set_exception(result)
                    else:
                        task.future.set_result(result)
        finally:
            lane.free.release()


def _run_tasks(
    signature: Signature, run: Callable[[Arrays], dict[str, np.ndarray]], batch: list[_Task]
) -> list[dict[str, np.ndarray] | Exception]:
    """Runs a batch; if that fails, each request by itself, so that none suffers for another."""
    try:
        if len(batch) == 1:
            return [run(batch[0].arrays)]
        together = {name: np.concatenate([task.arrays[name] for task in batch]) for name in signature.inputs}
        outputs = run(together)
        if any(array.shape[0] != sum(task.rows for task in batch) for array in outputs.values()):
            raise ValueError(f'an output of signature "{signature.name}" does not have the rows of its input')
        ends = np.cumsum([task.rows for task in batch])[:-1]
        parts = {name: np.split(array, ends) for name, array in outputs.items()}
        return [{name: parts[name][index] for name in parts} for index in range(len(batch))]
    except Exception as error:
        if len(batch) == 1:
            return [error]
        return [result for task in batch for result in _run_tasks(signature, run, [task])]
