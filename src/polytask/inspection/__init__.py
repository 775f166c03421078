"""Does learning tasks together help, and whom does it hurt: comparisons, gains, verdicts."""
