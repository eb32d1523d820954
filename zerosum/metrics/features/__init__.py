"""Networks whose features compare generated with real items, one kind a file; `base.Features` is what they all give."""
