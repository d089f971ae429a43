"""Systems whose true answer is known, to test measures on: networks built by hand."""
