"""Text to sympy and back, and what must never get through."""

import math
import tomllib

import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from contcrit.errors import SpecificationError
from contcrit.symbolic import Problem, format_expression, parse_expression, parse_problem

x, y, p = sp.symbols("x y p")
SYMBOLS = {"x": x, "y": y, "p": p}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", x),
        ("-x**2", -(x**2)),
        ("2**-1*x", x / 2),
        ("x/3 - y/2 + 1", x / 3 - y / 2 + 1),
        ("x - (y - p)", x - y + p),
        ("x/(y/p)", x * p / y),
        ("x**y**2", x ** (y**2)),
        ("+x - -y", x + y),
        ("exp(1)", sp.E),
        ("E**x", sp.exp(x)),
        ("sin(pi/2)", sp.S.One),
        ("sqrt(x)*tanh(2*y)", sp.sqrt(x) * sp.tanh(2 * y)),
        ("atan2(y, x)", sp.atan2(y, x)),
        ("1_000*x", 1000 * x),
        ("0.1", sp.Float(0.1)),
        ("  x +\ty ", x + y),
    ],
)
def test_arithmetic_as_in_python(text, expected):
    assert parse_expression(text, SYMBOLS) == expected


def test_numbers_are_exact():
    assert isinstance(parse_expression("3", {}), sp.Integer)
    assert float(parse_expression("0.1", {})) == 0.1
    assert parse_expression("1/3", {}) == sp.Rational(1, 3)
    assert parse_expression("0.1 + 1e-3", {}, rational=True) == sp.Rational(101, 1000)
    assert parse_expression("1_0.5", {}, rational=True) == sp.Rational(21, 2)


def test_symbols_come_before_constants():
    assert parse_expression("E*pi", {"E": x}) == x * sp.pi


def test_further_functions_can_be_admitted():
    class ramp(sp.Function):
        pass

    with pytest.raises(SpecificationError, match="not allowed"):
        parse_expression("ramp(x)", SYMBOLS)
    assert parse_expression("2*ramp(x)", SYMBOLS, functions={"ramp": ramp}) == 2 * ramp(x)


def test_markers_are_known():
    text = "relu(x) + leaky_relu(x, y) + absolute(step(y)) + maximum(x, y, 1) + sign(x)"
    found = parse_expression(text, SYMBOLS)
    assert {type(node).__name__ for node in found.atoms(sp.Function)} == {
        "relu", "leaky_relu", "absolute", "step", "maximum", "sign"
    }  # fmt: skip
    assert parse_expression(format_expression(found), SYMBOLS) == found


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "__import__('os').system('true')",
        "x.__class__",
        "x.diff(x)",
        "(lambda: x)()",
        "lambda: 1",
        "[x for x in (1, 2)]",
        "{x: 1}",
        "(x, y)",
        "[x]",
        "x[0]",
        "x if y else p",
        "x and y",
        "not x",
        "~x",
        "x // y",
        "x % y",
        "x @ y",
        "x << 2",
        "x < y",
        "x == y",
        "(z := x)",
        "f'{x}'",
        "'x'",
        "b'x'",
        "True",
        "None",
        "...",
        "2j",
        "await x",
        "eval('1')",
        "exec('1')",
        "open('x')",
        "Symbol('q')",
        "q",
        "exp",
        "exp()",
        "exp(x, y)",
        "exp(x=1)",
        "exp(*x)",
        "sin(x)(y)",
        "x; y",
        "x = 1",
        "import os",
        "x\ny",
        "",
        "   ",
        "(",
        "x +",
        "x\0",
        "1e999",
        "1/0",
        "x/0",
        "0**-1",
        "log(0)",
        "log(-1)",
        "sqrt(-1)",
        "gamma(0)",
        "9**9**9",
        "10**100000",
        "(10**1000)**1000",
        "x**5000",
        "x**(10**400)",
        "gamma(10**9)",
        "polygamma(10**9, 1)",
        "beta(10**9, 10**9)",
        "10.0**400",
        "exp(1e5)",
        "exp(exp(exp(50.0)))",
        "(" * 500 + "x" + ")" * 500,
        "-" * 3000 + "x",
        "sin(" * 160 + "x" + ")" * 160,
        "x**" * 400 + "x",
    ],
    ids=lambda text: text[:20],
)
def test_everything_else_is_refused(text):
    with pytest.raises(SpecificationError):
        parse_expression(text, SYMBOLS)


@pytest.mark.parametrize("value", [None, 3, b"x", ["x"]])
def test_only_text_is_parsed(value):
    with pytest.raises(SpecificationError, match="needs text"):
        parse_expression(value, SYMBOLS)


def test_messages_show_the_offending_part():
    with pytest.raises(SpecificationError, match=r"`zeta`.*Declared are: x, y, p"):
        parse_expression("x + zeta*2", SYMBOLS)
    with pytest.raises(SpecificationError, match=r"x\.diff") as refusal:
        parse_expression("x + x.diff", SYMBOLS)
    assert refusal.value.observed == "x.diff"


def numbers():
    return st.one_of(
        st.integers(-(10**20), 10**20).map(sp.Integer),
        st.fractions(-100, 100, max_denominator=50).map(
            lambda f: sp.Rational(*f.as_integer_ratio())
        ),
        st.floats(allow_nan=False, allow_infinity=False).map(sp.Float),
    )


def expressions():
    atoms = st.one_of(st.sampled_from([x, y, p, sp.pi, sp.E]), numbers())
    powers = st.one_of(
        st.integers(-4, 4).map(sp.Integer), st.sampled_from([sp.Rational(1, 2), sp.Rational(-2, 3)])
    )
    functions = st.sampled_from([sp.exp, sp.sin, sp.cosh, sp.atan, sp.tanh, sp.log, sp.erf])
    return st.recursive(
        atoms,
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=4).map(lambda parts: sp.Add(*parts)),
            st.lists(inner, min_size=2, max_size=4).map(lambda parts: sp.Mul(*parts)),
            st.tuples(st.sampled_from([x, y, x + p, x * y, sp.exp(y)]), powers).map(
                lambda pair: sp.Pow(*pair)
            ),
            st.tuples(functions, st.sampled_from([x, y * 2, x - p, x / y, x**2 + 0.3])).map(
                lambda pair: pair[0](pair[1])
            ),
            st.tuples(inner, st.sampled_from([x, y])).map(lambda pair: sp.sin(pair[0] * pair[1])),
        ),
        max_leaves=8,
    )


@settings(max_examples=150, deadline=None)
@given(expressions())
def test_format_and_parse_are_inverse(expression):
    # Only finite doubles have text; rebuilding is what Problem does with whatever it is given.
    floats = expression.atoms(sp.Float)
    assume(not expression.has(sp.nan, sp.zoo, sp.oo, -sp.oo, sp.I))
    assume(all(math.isfinite(float(f)) and sp.Float(float(f)) == f for f in floats))
    rebuilt = rebuild(expression)
    assume(rebuild(rebuilt) == rebuilt)
    assert parse_expression(format_expression(rebuilt), SYMBOLS) == rebuilt


def rebuild(expression):
    if not expression.args:
        return expression
    return expression.func(*(rebuild(argument) for argument in expression.args))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_round_trip_to_the_last_bit(value):
    found = float(parse_expression(format_expression(sp.Float(value)), {}))
    assert found == value


def test_long_sums_round_trip():
    symbols = {f"v{i}": sp.Symbol(f"v{i}") for i in range(3000)}
    expression = sp.Add(*(s**2 for s in symbols.values()))
    assert parse_expression(format_expression(expression), symbols) == expression


@pytest.mark.parametrize(
    "expression",
    [
        sp.Function("f")(x),
        sp.Symbol("a b"),
        sp.Symbol("lambda"),
        sp.Symbol("exp"),
        sp.Float("0.1", 40),
    ],
)
def test_what_text_cannot_state_is_refused(expression):
    with pytest.raises(SpecificationError):
        format_expression(expression)


FILE = """
[problem]
name = "two-node Bratu"
residual = ["-2*x + y + a*exp(x)", "x - 2*y + a*exp(y)"]
unknowns = ["x", "y"]
parameters = ["a"]
kind = "equation"
observables = {sum = "x + y"}

[values]
a = 0.1

[start]
x = 0.1
y = 0.1
"""


def test_problem_files():
    problem = parse_problem(tomllib.loads(FILE))
    assert problem.kind == "equation"
    assert problem.name == "two-node Bratu"
    fold = problem.evaluate([1.0, 1.0], {"a": math.exp(-1)})
    assert abs(fold).max() < 1e-15
    assert problem.observables["sum"]([1.0, 2.0], {"a": 0.0}) == 3.0
    potential = parse_problem(
        {"problem": {"potential": "x**4/4 - p*x**2/2", "unknowns": ["x"], "parameters": ["p"]}}
    )
    assert potential == Problem.from_potential(x**4 / 4 - p * x**2 / 2, [x], [p])


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "table \\[problem\\]"),
        (3, "needs tables"),
        ({"problem": {"unknowns": ["x"]}}, "residual"),
        ({"problem": {"unknowns": ["x"], "residual": ["x"], "potential": "x"}}, "not both"),
        ({"problem": {"unknowns": ["x"], "residual": ["x + q"]}}, "not declared"),
        ({"problem": {"residual": ["x"]}}, "at least one name"),
        ({"problem": {"unknowns": ["x"], "residual": ["x"]}, "values": {"z": 1}}, "not declared"),
        ({"problem": {"unknowns": ["x"], "residual": ["x"]}, "start": {"z": 1}}, "not declared"),
        ({"problem": {"unknowns": ["x"], "residual": ["x"]}, "stray": {}}, "tables"),
        ({"problem": {"unknowns": ["x"], "residual": ["x"], "stray": 1}}, "keys"),
        ({"problem": {"unknowns": ["x"], "residual": ["Abs(x)"]}}, "PiecewiseProblem"),
        ({"problem": {"unknowns": ["x"], "residual": [1.5]}}, "needs text"),
    ],
)
def test_malformed_files_are_refused(document, message):
    with pytest.raises(SpecificationError, match=message):
        parse_problem(document)
