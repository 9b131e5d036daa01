"""Local linear neurons: piecewise-linear basis functions with corners."""
