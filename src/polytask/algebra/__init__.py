"""Linear algebra of many tasks: arrows, wide tasks, spectra, Gram matrices."""
