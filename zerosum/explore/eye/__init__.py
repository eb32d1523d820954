"""A blind test by eye: trials, what is shown of them, and the answers that a run folder keeps."""
