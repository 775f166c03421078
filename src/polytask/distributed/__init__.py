"""Passes over partitions on a Dask cluster; needs the extra ``dask``."""
