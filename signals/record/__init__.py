"""The public record: a transparency log of what Argo received and when.

`formats` reads and writes the public formats, `verifier` checks a record; both need Python's
standard library alone, so that `one_file` can hand them to an outsider. The rest of this package
signs, writes tiles, and makes proofs and bundles.
"""
