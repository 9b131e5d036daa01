"""Work arrays of several threads share no cache line."""

import numpy as np

from contcrit.engine.own_memory import separate


def test_arrays_lie_apart_from_other_memory():
    arrays = separate((3,), (2, 2), (4,))
    assert [array.shape for array in arrays] == [(3,), (2, 2), (4,)]
    assert all(array.flags.c_contiguous and not array.any() for array in arrays)
    memory = arrays[0].base
    begin, end = memory.ctypes.data, memory.ctypes.data + memory.nbytes
    first = min(array.ctypes.data for array in arrays)
    last = max(array.ctypes.data + array.nbytes for array in arrays)
    assert first % 128 == 0 and begin <= first
    assert -(-last // 128) * 128 <= end


def test_arrays_do_not_overlap():
    one, other = separate((2, 3), (2,))
    one[:] = 1.0
    other[:] = 2.0
    assert np.all(one == 1.0) and np.all(other == 2.0)
