"""Linear algebra of small dense matrices, written for the compiler: loops over scalars.

These functions are the native gear's own LAPACK: for a handful of unknowns a library call costs
more than the work. They run as plain Python too, which is how they are checked.
"""

from __future__ import annotations

import math

import numpy as np

Array = np.ndarray


def negative_symmetric(matrix: Array) -> int:
    """Return the number of negative eigenvalues of a symmetric matrix, which is overwritten.

    Factors L D L' with the complete pivoting of Bunch and Parlett; by Sylvester's law the blocks
    of D have the matrix's inertia.

    References
    ----------
    J. R. Bunch and B. N. Parlett, SIAM J. Numer. Anal. 8 (1971), 639-655.
    """
    size = matrix.shape[0]
    negative = 0
    k = 0
    while k < size:
        diagonal, row = -1.0, k
        beside, first, second = -1.0, k, k
        for i in range(k, size):
            if abs(matrix[i, i]) > diagonal:
                diagonal, row = abs(matrix[i, i]), i
            for j in range(k, i):
                if abs(matrix[i, j]) > beside:
                    beside, first, second = abs(matrix[i, j]), i, j
        if not max(diagonal, beside) > 0.0:
            break  # the rest is zero: no sign to count
        if diagonal >= 0.6403882032022076 * beside:  # (1 + sqrt 17)/8 bounds the growth
            _exchange(matrix, k, row, k)
            pivot = matrix[k, k]
            if pivot < 0.0:
                negative += 1
            for i in range(k + 1, size):
                factor = matrix[i, k] / pivot
                for j in range(k + 1, i + 1):
                    matrix[i, j] -= factor * matrix[j, k]
                    matrix[j, i] = matrix[i, j]
            k += 1
            continue
        _exchange(matrix, k, second, k)
        _exchange(matrix, k + 1, first, k)
        negative += 1  # the pivot's determinant is negative: one eigenvalue of either sign
        a, b, c = matrix[k, k], matrix[k + 1, k], matrix[k + 1, k + 1]
        determinant = a * c - b * b
        for i in range(k + 2, size):
            one = (c * matrix[i, k] - b * matrix[i, k + 1]) / determinant
            other = (a * matrix[i, k + 1] - b * matrix[i, k]) / determinant
            for j in range(k + 2, i + 1):
                matrix[i, j] -= one * matrix[j, k] + other * matrix[j, k + 1]
        for i in range(k + 2, size):
            for j in range(k + 2, i):
                matrix[j, i] = matrix[i, j]
        k += 2
    return negative


def _exchange(matrix: Array, one: int, other: int, first: int) -> None:
    """Swap two rows and the two columns of the trailing symmetric block."""
    if one == other:
        return
    size = matrix.shape[0]
    for j in range(first, size):
        matrix[one, j], matrix[other, j] = matrix[other, j], matrix[one, j]
    for i in range(first, size):
        matrix[i, one], matrix[i, other] = matrix[i, other], matrix[i, one]


def negative_general(matrix: Array) -> int:
    """Return the number of eigenvalues with a negative real part; the matrix is overwritten.

    Up to four rows the count follows from the characteristic polynomial by Routh's scheme, unless
    one of its numbers is too small to trust; else from the eigenvalues. It is -1 where the
    iteration for the eigenvalues fails.
    """
    size = matrix.shape[0]
    if size == 1:
        return 1 if matrix[0, 0] < 0.0 else 0
    if size == 2:
        trace = matrix[0, 0] + matrix[1, 1]
        determinant = matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0]
        bound = abs(matrix[0, 0] * matrix[1, 1]) + abs(matrix[0, 1] * matrix[1, 0])
        if abs(determinant) > 1e-14 * bound:
            if determinant < 0.0:
                return 1
            if trace != 0.0:
                return 2 if trace < 0.0 else 0
    elif size <= 4:
        found = _routh(matrix)
        if found >= 0:
            return found
    return _negative_by_eigenvalues(matrix)


def _routh(matrix: Array) -> int:
    """Return the count by Routh's scheme for three or four rows, or -1 where it is uncertain.

    The characteristic polynomial's coefficients are sums of principal minors; each comes with the
    sum of the moduli that it was made of, against which it must not be tiny.
    """
    m = matrix
    size = m.shape[0]
    one = two = three = 0.0
    one_bound = two_bound = three_bound = 0.0
    for i in range(size):
        one -= m[i, i]
        one_bound += abs(m[i, i])
        for j in range(i):
            two += m[i, i] * m[j, j] - m[i, j] * m[j, i]
            two_bound += abs(m[i, i] * m[j, j]) + abs(m[i, j] * m[j, i])
            for k in range(j):
                up = m[j, j] * m[k, k] - m[j, k] * m[k, j]
                left = m[j, i] * m[k, k] - m[j, k] * m[k, i]
                right = m[j, i] * m[k, j] - m[j, j] * m[k, i]
                three -= m[i, i] * up - m[i, j] * left + m[i, k] * right
                three_bound += abs(m[i, i] * up) + abs(m[i, j] * left) + abs(m[i, k] * right)
    tiny = 1e-9
    if not (abs(one) > tiny * one_bound and abs(three) > tiny * three_bound):
        return -1
    if not abs(two) > tiny * two_bound and size == 4:
        return -1
    second = two - three / one
    if not abs(second) > tiny * (two_bound + abs(three / one)):
        return -1
    positive = 0
    if one < 0.0:
        positive += 1
    if one * second < 0.0:
        positive += 1
    if size == 3:
        if second * three < 0.0:
            positive += 1
        return size - positive
    a, b = m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0], m[2, 2] * m[3, 3] - m[2, 3] * m[3, 2]
    c, d = m[0, 0] * m[1, 2] - m[0, 2] * m[1, 0], m[2, 1] * m[3, 3] - m[2, 3] * m[3, 1]
    e, f = m[0, 0] * m[1, 3] - m[0, 3] * m[1, 0], m[2, 1] * m[3, 2] - m[2, 2] * m[3, 1]
    g, h = m[0, 1] * m[1, 2] - m[0, 2] * m[1, 1], m[2, 0] * m[3, 3] - m[2, 3] * m[3, 0]
    p, q = m[0, 1] * m[1, 3] - m[0, 3] * m[1, 1], m[2, 0] * m[3, 2] - m[2, 2] * m[3, 0]
    r, s = m[0, 2] * m[1, 3] - m[0, 3] * m[1, 2], m[2, 0] * m[3, 1] - m[2, 1] * m[3, 0]
    four = a * b - c * d + e * f + g * h - p * q + r * s
    four_bound = abs(a * b) + abs(c * d) + abs(e * f) + abs(g * h) + abs(p * q) + abs(r * s)
    third = three - one * four / second
    third_bound = three_bound + abs(one * four / second)
    if not (abs(four) > tiny * four_bound and abs(third) > tiny * third_bound):
        return -1
    if second * third < 0.0:
        positive += 1
    if third * four < 0.0:
        positive += 1
    return size - positive


def _negative_by_eigenvalues(matrix: Array) -> int:
    """Count by the eigenvalues: Hessenberg form by elimination, then the shifted QR iteration.

    References
    ----------
    J. H. Wilkinson and C. Reinsch, Linear Algebra, Springer 1971, contributions II/13 and II/14.
    """
    size = matrix.shape[0]
    h = matrix
    for i in range(size):
        for j in range(size):
            if not math.isfinite(h[i, j]):
                return -1
    for m in range(1, size - 1):
        pivot = m
        for i in range(m + 1, size):
            if abs(h[i, m - 1]) > abs(h[pivot, m - 1]):
                pivot = i
        if pivot != m:
            for j in range(m - 1, size):
                h[pivot, j], h[m, j] = h[m, j], h[pivot, j]
            for i in range(size):
                h[i, pivot], h[i, m] = h[i, m], h[i, pivot]
        if h[m, m - 1] != 0.0:
            for i in range(m + 1, size):
                factor = h[i, m - 1] / h[m, m - 1]
                if factor != 0.0:
                    for j in range(m, size):
                        h[i, j] -= factor * h[m, j]
                    for k in range(size):
                        h[k, m] += factor * h[k, i]
                h[i, m - 1] = 0.0
    norm = 0.0
    for i in range(size):
        for j in range(max(i - 1, 0), size):
            norm += abs(h[i, j])
    negative, last, shift, iterations = 0, size - 1, 0.0, 0
    while last >= 0:
        low = last
        while low > 0:
            around = abs(h[low - 1, low - 1]) + abs(h[low, low])
            if around == 0.0:
                around = norm
            if abs(h[low, low - 1]) <= 2.220446049250313e-16 * around:
                break
            low -= 1
        x = h[last, last]
        if low == last:
            if x + shift < 0.0:
                negative += 1
            last -= 1
            iterations = 0
            continue
        y = h[last - 1, last - 1]
        w = h[last, last - 1] * h[last - 1, last]
        if low == last - 1:
            half = 0.5 * (y - x)
            square = half * half + w
            if square >= 0.0:
                root = half + math.copysign(math.sqrt(square), half)
                one = x + root
                other = one if root == 0.0 else x - w / root
                if one + shift < 0.0:
                    negative += 1
                if other + shift < 0.0:
                    negative += 1
            elif x + half + shift < 0.0:
                negative += 2
            last -= 2
            iterations = 0
            continue
        if iterations == 60:
            return -1
        if iterations % 10 == 9:  # an exceptional shift
            shift += x
            for i in range(last + 1):
                h[i, i] -= x
            around = abs(h[last, last - 1]) + abs(h[last - 1, last - 2])
            x = y = 0.75 * around
            w = -0.4375 * around * around
        iterations += 1
        _double_step(h, low, last, x, y, w)
    return negative


def _double_step(h: Array, low: int, last: int, x: float, y: float, w: float) -> None:
    """Apply one double QR step with the shifts' sum x + y and product x y - w to rows low..last."""
    start = last - 2
    p = q = r = 0.0
    while start >= low:
        z = h[start, start]
        one, other = x - z, y - z
        p = (one * other - w) / h[start + 1, start] + h[start, start + 1]
        q = h[start + 1, start + 1] - z - one - other
        r = h[start + 2, start + 1]
        around = abs(p) + abs(q) + abs(r)
        p, q, r = p / around, q / around, r / around
        if start == low:
            break
        left = abs(h[start, start - 1]) * (abs(q) + abs(r))
        right = abs(p) * (abs(h[start - 1, start - 1]) + abs(z) + abs(h[start + 1, start + 1]))
        if left <= 2.220446049250313e-16 * right:
            break
        start -= 1
    for i in range(start + 2, last + 1):
        h[i, i - 2] = 0.0
        if i > start + 2:
            h[i, i - 3] = 0.0
    for k in range(start, last):
        inside = k != last - 1
        around = 0.0
        if k != start:
            p, q = h[k, k - 1], h[k + 1, k - 1]
            r = h[k + 2, k - 1] if inside else 0.0
            around = abs(p) + abs(q) + abs(r)
            if around == 0.0:
                continue
            p, q, r = p / around, q / around, r / around
        s = math.copysign(math.sqrt(p * p + q * q + r * r), p)
        if s == 0.0:
            continue
        if k == start:
            if low != start:
                h[k, k - 1] = -h[k, k - 1]
        else:
            h[k, k - 1] = -s * around
        p += s
        one, two, three = p / s, q / s, r / s
        q, r = q / p, r / p
        for j in range(k, last + 1):
            total = h[k, j] + q * h[k + 1, j]
            if inside:
                total += r * h[k + 2, j]
                h[k + 2, j] -= total * three
            h[k + 1, j] -= total * two
            h[k, j] -= total * one
        for i in range(low, min(last, k + 3) + 1):
            total = one * h[i, k] + two * h[i, k + 1]
            if inside:
                total += three * h[i, k + 2]
                h[i, k + 2] -= total * r
            h[i, k + 1] -= total * q
            h[i, k] -= total


def singular_values(matrix: Array, columns: Array, values: Array) -> None:
    """Orthogonalise the columns of a tall matrix by one-sided Jacobi rotations.

    Parameters
    ----------
    matrix : ndarray of shape (m, n), m >= n
        Overwritten by the left singular vectors times their singular values.
    columns : ndarray of shape (n, n)
        Output: the right singular vectors, as columns.
    values : ndarray of shape (n,)
        Output: the singular values, ascending; columns are ordered alike.

    References
    ----------
    J. Demmel and K. Veselic, SIAM J. Matrix Anal. Appl. 13 (1992), 1204-1245: small singular
    values come out to high relative accuracy.
    """
    rows, size = matrix.shape
    for i in range(size):
        for j in range(size):
            columns[i, j] = 1.0 if i == j else 0.0
    for _ in range(60):
        turned = False
        for p in range(size - 1):
            for q in range(p + 1, size):
                a = b = c = 0.0
                for i in range(rows):
                    a += matrix[i, p] * matrix[i, p]
                    b += matrix[i, q] * matrix[i, q]
                    c += matrix[i, p] * matrix[i, q]
                if abs(c) <= 1e-15 * math.sqrt(a * b):
                    continue
                turned = True
                half = (b - a) / (2.0 * c)
                t = 1.0 / (half + math.copysign(math.sqrt(1.0 + half * half), half))
                cosine = 1.0 / math.sqrt(1.0 + t * t)
                sine = t * cosine
                for i in range(rows):
                    one, other = matrix[i, p], matrix[i, q]
                    matrix[i, p] = cosine * one - sine * other
                    matrix[i, q] = sine * one + cosine * other
                for i in range(size):
                    one, other = columns[i, p], columns[i, q]
                    columns[i, p] = cosine * one - sine * other
                    columns[i, q] = sine * one + cosine * other
        if not turned:
            break
    for j in range(size):
        total = 0.0
        for i in range(rows):
            total += matrix[i, j] * matrix[i, j]
        values[j] = math.sqrt(total)
    for j in range(size - 1):  # few columns: the simplest sort serves
        least = j
        for k in range(j + 1, size):
            if values[k] < values[least]:
                least = k
        if least != j:
            values[j], values[least] = values[least], values[j]
            for i in range(rows):
                matrix[i, j], matrix[i, least] = matrix[i, least], matrix[i, j]
            for i in range(size):
                columns[i, j], columns[i, least] = columns[i, least], columns[i, j]
