"""Fits that read their rows in batches: moments in one pass, Newton with a pass a step."""
