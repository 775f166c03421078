"""Where rows come from: Parquet files, passes over them, a Dask cluster."""
