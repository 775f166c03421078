"""The mixed model: restricted likelihood, Laplace's approximation, spread of the estimates."""
