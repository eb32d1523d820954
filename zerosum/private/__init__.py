"""Differential privacy: the only mechanisms that may read rows where `--dp-epsilon` is given, and what they cost.

`accountant` adds up, `ledger` lists, `key` is where noise comes from. `values`, `grid`, `columns` describe a table's columns;
`moments` measures pairs of values; `gradient` is D's. Neighbouring tables differ in one row: its place is empty in one of them.
"""
