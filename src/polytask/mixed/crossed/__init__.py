"""The mixed model of several groupings, crossed or nested: w = w0 + sum over groupings of Δw."""
