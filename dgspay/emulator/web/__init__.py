"""The hosted payment pages with their templates, styles and scripts."""
