"""Power cuts: whatever moment the power goes, nothing that Argo has promised is lost.

Argo's own code runs, and its system calls on files are recorded (`recorder`). For each moment
between two of them, `disk` says what a disk may hold after a power cut; that is laid out as real
files, Argo starts on them again, and `promises` says what must be there. `scenarios` has the
traces.

`python -m tests.power_cuts` tries all of it; the tests beside it are a sample.
"""
