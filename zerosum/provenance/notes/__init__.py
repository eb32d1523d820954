"""The forms that a mark has: XMP in media, JSON in tables and arrays.

A form is a module with `write(origin) -> bytes` and `read(data) -> Found`, which raises ValueError where it is broken.
"""
