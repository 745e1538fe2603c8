"""The laws of the model, one function each, grouped by what they speak of."""
