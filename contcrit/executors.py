"""Independent tasks over any `concurrent.futures.Executor`, with results in the tasks' order.

Serial runs are the reference: the same tasks give the same results on every executor.

Notes
-----
Functions and tasks are pickled on their way to other processes. Problems pickle, and a compiled
system does by way of its problem, which each process compiles again: so make tasks few and large
(`chunk_size`) rather than many and small, and let them carry the problem, the parameter's name and
the values. Functions must be importable: defined at the top of a module, no lambdas.

The linear algebra libraries under numpy start one thread for each core in each process. With as
many processes as cores set ``OMP_NUM_THREADS=1`` (and ``OPENBLAS_NUM_THREADS``,
``MKL_NUM_THREADS``) before Python starts; after numpy's import it is too late. Sums may be
rounded differently with another number of threads, so keep it fixed when results must agree in the
last bit.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import SpecificationError

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

Task = TypeVar("Task")
Result = TypeVar("Result")

CHUNKS_PER_WORKER = 4
"""Chunks that each worker gets by default, so that uneven tasks even out."""


def map_ordered(
    executor: Executor | None,
    function: Callable[[Task], Result],
    tasks: Iterable[Task],
    *,
    chunk_size: int | None = None,
) -> list[Result]:
    """Apply a function to every task; return the results in the order of the tasks.

    Parameters
    ----------
    executor : concurrent.futures.Executor or None
        Anything with its ``submit``: thread and process pools, ``mpi4py.futures``, Dask's
        ``client.get_executor()``. None runs serially, here.
    function : callable
        Takes one task.
    tasks : iterable
        The tasks; read completely first.
    chunk_size : int, optional
        Tasks sent together (default: four chunks for each worker). It changes no result.

    Returns
    -------
    list

    Raises
    ------
    SpecificationError
        If the executor has no ``submit`` or the chunk size is below 1.
    Exception
        What the function raised for the first task, in order, that failed, with a note that
        names the task. Later tasks that have not started are cancelled.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from contcrit.executors import map_ordered
    >>> with ThreadPoolExecutor(2) as pool:
    ...     map_ordered(pool, abs, [-3, 2, -1])
    [3, 2, 1]
    """
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise SpecificationError(
            "executor",
            executor,
            "must be a concurrent.futures.Executor or None.",
            "Give one, such as ProcessPoolExecutor().",
        )
    if chunk_size is not None and chunk_size < 1:
        raise SpecificationError(
            "chunk_size", chunk_size, "must be a whole number of at least 1.", "Leave it out."
        )
    listed = list(tasks)
    if executor is None:
        return _unpack(listed, [_run_chunk(function, listed)])
    size = chunk_size or _default_chunk_size(executor, len(listed))
    chunks = [listed[first : first + size] for first in range(0, len(listed), size)]
    futures = [executor.submit(_run_chunk, function, chunk) for chunk in chunks]
    try:
        return _unpack(listed, (_result(future, k * size) for k, future in enumerate(futures)))
    finally:
        for future in futures:
            future.cancel()


def worker_count(executor: Executor | None) -> int:
    """Return how many workers an executor has, as far as it tells; else the number of cores."""
    if executor is None:
        return 1
    for name in ("_max_workers", "num_workers"):
        found = getattr(executor, name, None)
        if isinstance(found, int) and found >= 1:
            return found
    return os.cpu_count() or 1


def _default_chunk_size(executor: Executor, count: int) -> int:
    chunks = CHUNKS_PER_WORKER * worker_count(executor)
    return max(1, -(-count // chunks))


def _run_chunk(
    function: Callable[[Any], Any], chunk: Sequence[Any]
) -> tuple[list[Any], Exception | None]:
    """Return the results up to the first failure, and that failure."""
    results = []
    for task in chunk:
        try:
            results.append(function(task))
        except Exception as error:
            return results, error
    return results, None


def _result(future: Future[Any], first: int) -> tuple[list[Any], Exception | None]:
    try:
        found: tuple[list[Any], Exception | None] = future.result()
    except Exception as error:
        # The pool broke, or the chunk or its results do not pickle.
        error.add_note(f"while the chunk from task {first} was sent, run or returned")
        raise
    return found


def _unpack(
    tasks: Sequence[Any], outcomes: Iterable[tuple[list[Any], Exception | None]]
) -> list[Any]:
    results: list[Any] = []
    for chunk_results, error in outcomes:
        results.extend(chunk_results)
        if error is not None:
            shown = repr(tasks[len(results)])
            if len(shown) > 200:
                shown = shown[:197] + "..."
            error.add_note(f"in task {len(results)}: {shown}")
            raise error
    return results
