"""The regularised linear network, and its Morse index on the space of weight curves."""
