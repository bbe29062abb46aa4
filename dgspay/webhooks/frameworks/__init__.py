"""A few lines for each web framework: raw body in, the receiver's answer out."""
