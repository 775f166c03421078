"""Coefficients of limited rank and projections: L = A V."""
