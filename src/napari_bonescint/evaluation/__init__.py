"""Evaluating models: scores, confidence intervals, comparison of two models."""
