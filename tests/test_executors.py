"""Order, exceptions and equality of serial and parallel runs."""

from __future__ import annotations

import math
import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contcrit.errors import SpecificationError
from contcrit.executors import map_ordered, worker_count


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


class Immediate(Executor):
    """An executor that counts what it is given and knows nothing of its workers."""

    def __init__(self) -> None:
        self.submitted = 0

    def submit(self, function, /, *arguments, **options):
        self.submitted += 1
        future: Future = Future()
        future.set_result(function(*arguments, **options))
        return future


def slow_first(task: int) -> int:
    time.sleep(0.05 if task == 0 else 0.0)
    return task


def refuse_odd(task: int) -> int:
    if task % 2:
        raise SpecificationError("task", task, "must be even.", "Double it.")
    return task


@given(
    tasks=st.lists(st.integers(-1000, 1000)),
    chunk_size=st.one_of(st.none(), st.integers(1, 30)),
)
def test_results_keep_the_order_whatever_the_chunks(
    tasks: list[int], chunk_size: int | None
) -> None:
    expected = [abs(task) for task in tasks]
    assert map_ordered(None, abs, iter(tasks), chunk_size=chunk_size) == expected
    assert map_ordered(Immediate(), abs, iter(tasks), chunk_size=chunk_size) == expected


def test_late_results_do_not_overtake() -> None:
    with ThreadPoolExecutor(4) as pool:
        assert map_ordered(pool, slow_first, range(8), chunk_size=1) == list(range(8))


def test_processes_give_the_serial_results(processes: Executor) -> None:
    tasks = [k / 7 for k in range(50)]
    assert map_ordered(processes, math.gamma, tasks[1:]) == map_ordered(None, math.gamma, tasks[1:])


@pytest.mark.parametrize("chunk_size", [None, 1, 3])
def test_the_first_failure_names_its_task(processes: Executor, chunk_size: int | None) -> None:
    for executor in (None, processes):
        with pytest.raises(SpecificationError) as caught:
            map_ordered(executor, refuse_odd, [0, 2, 4, 6, 7, 9], chunk_size=chunk_size)
        assert caught.value.observed == 7
        assert "in task 4: 7" in caught.value.__notes__


def test_what_cannot_be_sent_is_named(processes: Executor) -> None:
    with pytest.raises(Exception, match=r"pickle|local") as caught:
        map_ordered(processes, lambda task: task, [1, 2])
    assert any("task 0" in note for note in caught.value.__notes__)


def test_chunking() -> None:
    executor = Immediate()
    map_ordered(executor, abs, range(10), chunk_size=4)
    assert executor.submitted == 3
    with ThreadPoolExecutor(3) as pool:
        assert worker_count(pool) == 3
    assert worker_count(None) == 1
    assert worker_count(executor) >= 1


@pytest.mark.parametrize(
    ("options", "argument"),
    [({"executor": map}, "executor"), ({"executor": None, "chunk_size": 0}, "chunk_size")],
)
def test_misuse_is_named(options: dict, argument: str) -> None:
    with pytest.raises(SpecificationError) as caught:
        map_ordered(function=abs, tasks=[1], **options)
    assert caught.value.argument == argument
