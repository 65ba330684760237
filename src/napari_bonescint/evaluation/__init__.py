"""How good a model is: scores, intervals, comparison of two models. Imports nothing of the training."""
