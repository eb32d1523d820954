"""The guard: watches a game while it is played, goes back where it breaks, mends one thing, and ends at the best.

snapshots are taken by `zerosum.snapshot`; what is measured is in `views` and `probe`, what counts as trouble in `signals`,
what is done about it in `remedies`; `guard` decides, `words` says it to people.
"""
