"""Parts that benchmarks are made of: a load generator and receivers to set beside our own."""
