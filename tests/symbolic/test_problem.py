"""Problems: construction, refusals, blocks, symmetry, round trips."""

import json
import pickle

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from contcrit.errors import SpecificationError
from contcrit.symbolic import Problem

x, y, p, q = sp.symbols("x y p q")


def circle(**options):
    potential = (x**2 + y**2) ** 2 / 4 - p * (x**2 + y**2) / 2
    return Problem.from_potential(potential, [x, y], [p], **options)


def examples():
    w = sp.Matrix(2, 2, sp.symbols("w_0:4"))
    return [
        Problem([p * x - x**3], [x], [p]),
        Problem([p * x * (1 - x)], [x], [p], kind="map", name="logistic"),
        Problem([sp.exp(x) * y - 0.1, x + sp.log(y + 3) / 3], [x, y], [p, q], kind="equation"),
        circle(generators=[[-y, x]], observables={"radius": sp.sqrt(x**2 + y**2)}),
        Problem.from_potential((w.T * w).trace() ** 2 - p * w.trace(), {"W": w}, [p]),
        Problem([sp.log(x) - p], [x], [p], domain={"x": (0.5, 2.0)}, blocks={"u": (1,)}),
    ]


@pytest.mark.parametrize("problem", examples(), ids=repr)
def test_description_and_pickle_rebuild_an_equal_problem(problem):
    description = json.loads(json.dumps(problem.describe()))
    for copy in (Problem.from_description(description), pickle.loads(pickle.dumps(problem))):
        assert copy == problem
        assert hash(copy) == hash(problem)
        point = np.linspace(0.3, 0.9, problem.size)
        values = dict.fromkeys(problem.parameter_names, 0.7)
        assert np.array_equal(copy.evaluate(point, values), problem.evaluate(point, values))
        assert sorted(copy.observables) == sorted(problem.observables)


def test_pickle_after_compilation_holds_no_machine_code():
    problem = examples()[0]
    system = problem.compile("p", {})
    assert problem.provenance["backend"] == "symengine-llvm"
    copy = pickle.loads(pickle.dumps(problem))
    assert copy.provenance == {}
    again = pickle.loads(pickle.dumps(system))
    z = np.array([0.4, 1.2])
    assert np.array_equal(again.residual(z), system.residual(z))
    assert again.parameter == "p"


def test_residual_is_plus_the_gradient_of_the_potential():
    problem = circle()
    assert problem.kind == "potential"
    assert problem.symmetric
    assert sp.expand(problem.residual[0] - (x * (x**2 + y**2) - p * x)) == 0
    values = {"p": 0.5}
    assert problem.potential([1.0, 2.0], values) == pytest.approx(25 / 4 - 5 / 4)
    assert problem.observables["potential"]([1.0, 2.0], values) == pytest.approx(5.0)


def test_a_map_solves_for_fixed_points():
    problem = Problem([p * x * (1 - x)], [x], [p], kind="map")
    assert problem.residual == (p * x * (1 - x),)
    assert problem.evaluate([2 / 3], {"p": 3.0}) == pytest.approx([0.0], abs=1e-15)
    assert problem.jacobian([2 / 3], {"p": 3.0})[0, 0] == pytest.approx(-2.0)  # multiplier -1


def test_evaluation_is_vectorised_over_leading_axes():
    problem = Problem([p * x - x**3, sp.Integer(1) - y], [x, y], [p])
    points = np.random.default_rng(0).normal(size=(4, 3, 2))
    found = problem.evaluate(points, {"p": 0.5})
    assert found.shape == (4, 3, 2)
    assert np.allclose(found[..., 0], 0.5 * points[..., 0] - points[..., 0] ** 3)
    assert np.allclose(found[..., 1], 1 - points[..., 1])
    potentials = circle().potential(points, {"p": 0.5})
    assert potentials.shape == (4, 3)
    assert potentials[1, 2] == circle().potential(points[1, 2], {"p": 0.5})


def test_derivatives_of_one_point():
    problem = Problem([p * x - x**3 * q], [x], [p, q])
    values = {p: 2.0, "q": 3.0}
    assert problem.jacobian([0.5], values)[0, 0] == pytest.approx(2 - 9 * 0.25)
    assert problem.parameter_derivative([0.5], values, "q") == pytest.approx([-0.125])
    assert problem.parameter_derivative([0.5], values, p) == pytest.approx([0.5])


def test_assumptions_do_not_split_symbols():
    real = sp.Symbol("x", real=True)
    problem = Problem([p * real - x**3], [sp.Symbol("x", positive=True)], [p])
    assert problem.unknowns == (x,)
    assert problem.evaluate([2.0], {"p": 1.0}).tolist() == [-6.0]


def test_blocks_are_row_major():
    w = sp.Matrix(2, 3, sp.symbols("a:f"))
    c = sp.Symbol("c0")
    rows = [*list(w), c]
    problem = Problem([s - p for s in rows], {"W": w, "c": c}, [p])
    assert problem.blocks == {"W": (2, 3), "c": ()}
    packed = problem.pack(W=[[1, 2, 3], [4, 5, 6]], c=7)
    assert packed.tolist() == [1, 2, 3, 4, 5, 6, 7]
    blocks = problem.unpack(packed)
    assert blocks["W"].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert blocks["c"] == 7.0
    assert np.array_equal(problem.point({"W": np.ones((2, 3)), c: 2}), [1, 1, 1, 1, 1, 1, 2])
    nested = Problem([x - p, y], {"u": [x, y]}, [p])
    assert nested.blocks == {"u": (2,)}
    regrouped = Problem([x - p, y], [x, y], [p], blocks={"m": (2, 1)})
    assert regrouped.unpack([1.0, 2.0])["m"].tolist() == [[1.0], [2.0]]
    with pytest.raises(SpecificationError, match="missing"):
        problem.pack(W=np.ones((2, 3)))
    with pytest.raises(SpecificationError, match="shape"):
        problem.pack(W=np.ones((3, 2)), c=0)


@given(st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=4))
def test_pack_inverts_unpack(numbers):
    w = sp.symbols("w_0:4")
    problem = Problem([s**2 - p for s in w], {"V": [list(w[:3])], "c": w[3]}, [p])
    assert problem.pack(**problem.unpack(numbers)).tolist() == numbers


class TestSymmetric:
    def test_gradient_fields_are_recognised(self):
        assert Problem([2 * x + y * sp.exp(x * y), x * sp.exp(x * y)], [x, y]).symmetric
        assert Problem([(x + y) ** 2, x**2 + 2 * x * y + sp.sin(y)], [x, y]).symmetric

    def test_others_are_not(self):
        assert not Problem([-y, x], [x, y]).symmetric
        assert not Problem([x + y, y], [x, y]).symmetric
        assert not Problem([x + p * y, q * x + y], [x, y], [p, q]).symmetric
        assert not Problem([y + x, x * (1 + sp.Float(1e-12)) + y], [x, y]).symmetric


class TestGenerators:
    def test_forms_agree(self):
        turn = np.array([[0.0, -1.0], [1.0, 0.0]])
        for form in (turn, np.hstack([turn, np.zeros((2, 1))]), [-y, x], {x: -y, "y": x}):
            assert circle(generators=[form]).generators[0].tolist() == [[0, -1, 0], [1, 0, 0]]
        assert circle().generators.shape == (0, 2, 3)

    def test_translations(self):
        problem = Problem.from_potential(
            (x - y) ** 4 + p * (x - y), [x, y], [p], generators=[[1, 1]]
        )
        assert problem.generators.tolist() == [[[0, 0, 1], [0, 0, 1]]]

    def test_equivariant_flow_and_map(self):
        radius = x**2 + y**2
        for kind in ("flow", "map"):
            rows = [p * x - y - x * radius, x + p * y - y * radius]
            Problem(rows, [x, y], [p], kind=kind, generators=[[-y, x]])

    def test_recombined_equations_keep_their_symmetry(self):
        radius = p - x**2 - y**2
        rows = [x * radius + 2 * y * radius, 3 * y * radius]
        Problem(rows, [x, y], [p], kind="equation", generators=[[-y, x]])
        with pytest.raises(SpecificationError, match="not a symmetry"):
            Problem(rows, [x, y], [p], kind="flow", generators=[[-y, x]])

    @pytest.mark.parametrize(
        ("generator", "message"),
        [
            ([y, x], "not a symmetry"),
            ([-y * x, x**2], "affine"),
            ([-p * y, p * x], "affine"),
            ([-y], "components"),
            (np.ones((3, 3)), "shape"),
            ([-q, x], "neither"),
        ],
    )
    def test_wrong_ones_are_refused(self, generator, message):
        with pytest.raises(SpecificationError, match=message):
            circle(generators=[generator])

    def test_a_broken_symmetry_is_found_however_small(self):
        potential = (x**2 + y**2) ** 2 / 4 - p * (x**2 + y**2) / 2 + sp.Float(1e-6) * x
        with pytest.raises(SpecificationError, match="not a symmetry"):
            Problem.from_potential(potential, [x, y], [p], generators=[[-y, x]])

    def test_domains_guide_the_check(self):
        potential = sp.sqrt(x**2 + y**2 - 100) - p * (x**2 + y**2)
        arguments = potential, [x, y], [p]
        with pytest.raises(SpecificationError, match="domain"):
            Problem.from_potential(*arguments, generators=[[-y, x]])
        domain = {"x": (10, 12), y: (10, 12)}
        assert Problem.from_potential(*arguments, generators=[[-y, x]], domain=domain).size == 2


class TestRefusals:
    @pytest.mark.parametrize(
        "kink",
        [
            sp.Max(x, 0),
            sp.Min(x, p),
            sp.Abs(x),
            sp.Piecewise((x, x > 0), (0, True)),
            sp.Heaviside(x),
            sp.sign(x),
            sp.floor(x),
            sp.ceiling(x),
            sp.sqrt(sp.Symbol("x", real=True) ** 2),
            sp.exp(sp.Abs(x) + p) * x,
        ],
        ids=str,
    )
    def test_kinks_name_the_piecewise_problem(self, kink):
        with pytest.raises(SpecificationError, match="PiecewiseProblem"):
            Problem([kink - p], [x], [p])
        with pytest.raises(SpecificationError, match="PiecewiseProblem"):
            Problem.from_potential(kink - p, [x], [p])

    @pytest.mark.parametrize(
        ("residual", "unknowns", "parameters", "message"),
        [
            ([], [], [p], "at least one unknown"),
            ([], [x], [p], "as many equations"),
            ([x, y], [x], [y], "as many equations"),
            ([x - p], [x], [x, p], "also an unknown"),
            ([x, x], [x, x], [p], "twice"),
            ([x, x], [x, sp.Symbol("x", real=True)], [p], "twice"),
            ([x - p - q], [x], [p], "Declare `q`"),
            ([p], [x], [p], "any unknown"),
            (["x - p"], [x], [p], "parse_expression"),
            ("x - p", [x], [p], "parse_expression"),
            ([sp.I * x], [x], [p], "real"),
            ([sp.sqrt(-2) * x], [x], [p], "real"),
            ([sp.nan + x], [x], [p], "finite"),
            ([x + sp.zoo], [x], [p], "finite"),
            ([x + float("inf")], [x], [p], "finite"),
            ([x * sp.Integer(10) ** 400], [x], [p], "largest float"),
            ([sp.conjugate(x)], [x], [p], "real"),
            ([sp.Function("f")(x)], [x], [p], "explicitly"),
            ([sp.Integral(x, x)], [x], [p], "explicitly"),
            ([sp.Eq(x, p)], [x], [p], "left side minus"),
            ([x > p], [x], [p], "scalar"),
            ([True], [x], [p], "truth"),
            ([None], [x], [p], "expressions"),
            ([x], ["x"], [p], "symbols"),
            ([x], "x", [p], "symbols"),
            ([x], [x], "p", "symbols"),
            ([x], [x], [3], "symbols"),
            ([x], sp.MatrixSymbol("W", 1, 1), [p], "symbols"),
            (sp.MatrixSymbol("W", 1, 1), [x], [p], "matrix"),
        ],
    )
    def test_malformed_problems(self, residual, unknowns, parameters, message):
        with pytest.raises(SpecificationError, match=message):
            Problem(residual, unknowns, parameters)

    def test_values(self):
        problem = Problem([p * x - q], [x], [p, q])
        for values, message in [
            ({"p": 1.0}, "lacks"),
            ({"p": 1.0, "q": 1.0, "r": 2.0}, "not a parameter"),
            ({"p": 1.0, "q": float("nan")}, "finite"),
            ({"p": 1.0, "q": 1j}, "real"),
            ({"p": 1.0, "q": "1"}, "real"),
            ({"p": 1.0, 3: 1.0}, "name"),
            ([1.0, 2.0], "mapping"),
        ]:
            with pytest.raises(SpecificationError, match=message):
                problem.evaluate([1.0], values)
        with pytest.raises(SpecificationError, match="not a parameter"):
            problem.compile("x", {})
        with pytest.raises(SpecificationError, match="lacks"):
            problem.compile("p", {})
        with pytest.raises(SpecificationError, match="numbers"):
            problem.evaluate([1.0, 2.0], {"p": 1, "q": 1})
        with pytest.raises(SpecificationError, match="no potential"):
            problem.potential([1.0], {"p": 1, "q": 1})

    def test_other_arguments(self):
        for options, message in [
            ({"kind": "ode"}, "one of"),
            ({"kind": "potential"}, "from_potential"),
            ({"observables": {"x": x}}, "names"),
            ({"observables": {"potential": x}}, "names"),
            ({"blocks": {"u": (2,)}}, "all 1 unknowns"),
            ({"name": 3}, "text"),
            ({"domain": {"x": (1, 0)}}, "low < high"),
            ({"domain": {"z": (0, 1)}}, "neither"),
        ]:
            with pytest.raises(SpecificationError, match=message):
                Problem([x - p], [x], [p], **options)

    def test_problems_are_immutable(self):
        problem = Problem([x - p], [x], [p])
        with pytest.raises(SpecificationError, match="immutable"):
            problem.kind = "map"
        with pytest.raises(ValueError, match="read-only"):
            circle(generators=[[-y, x]]).generators[0] = 0


def test_observables_may_have_kinks_and_may_be_functions():
    problem = Problem(
        [x - p, y],
        [x, y],
        [p],
        observables={"largest": sp.Max(sp.Abs(x), sp.Abs(y)), "sum": lambda x, values: sum(x)},
    )
    assert problem.observables["largest"]([-3.0, 2.0], {"p": 0.0}) == 3.0
    assert problem.observables["sum"]([-3.0, 2.0], {"p": 0.0}) == -1.0
    assert list(problem.describe()["observables"]) == ["largest"]


def test_descriptions_cope_with_names_that_are_not_identifiers():
    lam, weight, euler = sp.Symbol("lambda"), sp.Symbol("w_{1,2}"), sp.Symbol("E")
    problem = Problem([lam * weight - weight**3 + euler * sp.E], [weight], [lam, euler])
    assert Problem.from_description(json.loads(json.dumps(problem.describe()))) == problem


@pytest.mark.parametrize(
    "change",
    [
        {"residual": ["__import__('os')"]},
        {"residual": 3},
        {"unknowns": []},
        {"unknowns": "x"},
        {"extra": 1},
        {"type": "matrix problem"},
        {"kind": "potential"},
        {"generators": "none"},
        {"blocks": 3},
        {"aliases": {"a": "not declared"}},
    ],
    ids=str,
)
def test_malformed_descriptions_are_refused(change):
    description = {**Problem([x - p], [x], [p]).describe(), **change}
    with pytest.raises(SpecificationError):
        Problem.from_description(description)


def test_no_verdict_and_no_unfolding_of_its_own():
    problem = circle(generators=[[-y, x]])
    assert problem.classify([0.0, 0.0], {"p": 1.0}) is None
    assert problem.unfolding(np.zeros(2), {"p": 1.0}) is None
    assert problem.compile("p", {}).unfolding(np.zeros(3)) is None
