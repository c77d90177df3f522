"""``QDenseBatchnorm`` of published models, for inference only.

QKeras 0.9 lists no such layer, later ones do.

A dense layer with the batch norm after it folded into kernel and bias before both are quantized, as
in QKeras's ``QConv2DBatchnorm``. It has the weights of the original, so that files of trained
networks load into it.
"""

from __future__ import annotations

from typing import Any

from tinyrobust.models.keras.tf import keras, tf

from qkeras import QDense  # isort: skip  (after tinyrobust.models.keras.tf)

_NORM = ("axis", "momentum", "epsilon", "center", "scale")
_NOT_OURS = ("beta", "gamma", "moving_mean", "moving_variance")
"""Prefixes of the norm's initializers, regularizers and constraints, which only training needs."""


class QDenseBatchnorm(QDense):  # type: ignore[misc]
    """[n, inputs] to [n, units]."""

    def __init__(
        self, units: int, ema_freeze_delay: int | None = None, folding_mode: str = "", **config: Any
    ) -> None:
        del ema_freeze_delay, folding_mode  # how it was trained
        norm = {key: config.pop(key) for key in _NORM if key in config}
        training = ("renorm", "virtual_batch_size", "adjustment", "fused")
        own = {k: v for k, v in config.items() if not k.startswith((*_NOT_OURS, *training))}
        super().__init__(units, **own)
        self.batchnorm = keras.layers.BatchNormalization(**norm)

    def build(self, input_shape: Any) -> None:
        """Keras's hook; weights are those of a dense layer, of a batch norm, and a counter."""
        super().build(input_shape)
        self.batchnorm.build((*input_shape[:-1], self.units))
        self._iteration = tf.Variable(-1, trainable=False, name="iteration", dtype=tf.int64)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Keras's hook. Raises NotImplementedError in training."""
        if training:
            raise NotImplementedError(
                "QDenseBatchnorm is for inference; train with QDense and BatchNormalization"
            )
        kernel, bias = self.get_folded_weights()
        if self.kernel_quantizer is not None:
            kernel = self.kernel_quantizer_internal(kernel)
        if self.bias_quantizer is not None:
            bias = self.bias_quantizer_internal(bias)
        out = tf.matmul(inputs, kernel) + bias
        return out if self.activation is None else self.activation(out)

    def get_folded_weights(self) -> list[Any]:
        """Kernel [inputs, units] and bias [units] with the batch norm in them.

        They have not passed their quantizers.
        """
        norm = self.batchnorm
        factor = tf.math.rsqrt(norm.moving_variance + norm.epsilon)
        if norm.gamma is not None:
            factor *= norm.gamma
        bias = factor * ((self.bias if self.use_bias else 0.0) - norm.moving_mean)
        return [factor * self.kernel, bias if norm.beta is None else bias + norm.beta]

    def get_config(self) -> dict[str, Any]:
        """Keras's hook."""
        norm = self.batchnorm.get_config()
        return {**super().get_config(), **{key: norm[key] for key in _NORM}}
