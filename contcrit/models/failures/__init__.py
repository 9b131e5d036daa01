"""Learning problems on which following gradients fails, one family in each folder."""
