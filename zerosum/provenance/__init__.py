"""What made a file, said in the file: `mark` and `mark_file` write it, `read` reads it back. See docs/provenance.md."""

from zerosum.provenance.files import mark, mark_file, read, sidecar
from zerosum.provenance.found import Found
from zerosum.provenance.origin import Origin, of_checkpoint, run_hash

__all__ = ["Found", "Origin", "mark", "mark_file", "of_checkpoint", "read", "run_hash", "sidecar"]
