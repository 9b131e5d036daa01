"""ReLU networks with hinge losses."""
