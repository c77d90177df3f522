"""Networks, training, quantized export and the host-side predictors."""
