"""`zerosum serve`: a trained run behind an HTTP API; requests that come together are computed together."""
