"""One ReLU unit with l1 or l2 regularisation."""
