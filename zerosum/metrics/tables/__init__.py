"""Scores of tables, as functions of DataFrames and a Schema; the metrics `table_*` beside this room make Scores of them.

Rows are compared as people have them, never in model space, so that any generator of tables can be scored: another
program's too.
"""
