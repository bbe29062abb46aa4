"""Pays a batch: jobs, chunks, and the engines that share chunks out."""
