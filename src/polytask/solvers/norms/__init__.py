"""Convex norms: profiles over the rest, proximal gradient, splitting."""
