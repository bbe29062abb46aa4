"""Reports of a batch: sums, CSV, JSON and a page to print."""
