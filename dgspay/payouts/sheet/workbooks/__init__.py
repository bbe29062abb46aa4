"""Workbooks, .xlsx, .xls and .ods: read into rows, and written back with what became of them."""
