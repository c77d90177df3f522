"""Training whose loss is a bound: interval bound propagation, through quantizers as well."""
