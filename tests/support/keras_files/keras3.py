"""Run in a process of its own, where ``keras`` is Keras 3: writes networks, inputs and outputs
into a folder."""

import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import keras
import numpy as np

L = keras.layers
ACTIVATIONS = (
    "elu exponential gelu leaky_relu mish relu relu6 selu sigmoid silu softmax "
    "softplus softsign swish tanh"
)


def residual():
    """Functional: a nested model that is used twice, two branches, a frozen layer, a layer
    called as at inference."""
    x = inputs = L.Input((8, 8, 3), name="image")
    stem = L.Conv2D(4, 3, padding="same", use_bias=False, name="stem")(x)
    x = L.ReLU(max_value=6)(L.BatchNormalization(name="norm")(stem))
    block = keras.Sequential([L.Conv2D(4, 1, activation="relu"), L.Dropout(0.1)], name="block")
    x = L.Add()([block(x), block(stem, training=False)])
    side = L.Input((8, 8, 4))
    branch = keras.Model(
        side, L.DepthwiseConv2D(3, padding="same")(L.LeakyReLU(0.1)(side)), name="branch"
    )
    x = L.Concatenate()([x, branch(x)])
    x = L.SeparableConv2D(6, 3, strides=2, name="separable")(x)
    x = L.Conv2DTranspose(4, 2, strides=2)(L.ZeroPadding2D(1)(x))
    x = L.AveragePooling2D(2, padding="same")(L.PReLU(shared_axes=[1, 2])(x))
    x = L.GlobalAveragePooling2D()(L.UpSampling2D(interpolation="bilinear")(x))
    x = L.Dense(5, activation="gelu", kernel_regularizer="l2")(x)
    frozen = L.Dense(3, name="frozen")
    frozen.trainable = False
    return keras.Model(inputs, frozen(x))


def sequential():
    """Every other kind of plain layer in a row."""
    norm = L.Normalization(axis=-1)
    norm.adapt(np.random.default_rng(1).normal(3, 2, (64, 9, 8)).astype("float32"))
    layers = [
        norm,
        L.Rescaling(0.5, 0.1),
        L.Conv1D(6, 3, groups=2, dilation_rate=2),
        L.GroupNormalization(3),
        L.ZeroPadding1D(2),
        L.DepthwiseConv1D(2),
        L.SeparableConv1D(5, 3),
        L.ELU(0.7),
        L.UpSampling1D(2),
        L.Cropping1D(1),
        L.MaxPooling1D(2),
        L.LayerNormalization(),
        L.GaussianNoise(0.1),
        L.SpatialDropout1D(0.1),
        L.TimeDistributed(L.Dense(4)),
        L.Conv1DTranspose(3, 2),
        L.Permute((2, 1)),
        L.UnitNormalization(),
        L.Flatten(),
        L.Reshape((-1, 2)),
        L.GlobalMaxPooling1D(),
        L.RepeatVector(3),
        L.AlphaDropout(0.1),
        L.Flatten(),
        L.Dense(4),
    ]
    return keras.Sequential([L.Input((9, 8)), *layers])


def activations():
    """Every activation that has the same name in both."""
    inputs = L.Input((16,))
    ends = [L.Activation(name, name=f"a_{name}")(inputs) for name in ACTIVATIONS.split()]
    return keras.Model(inputs, L.Concatenate()(ends))


def hard():
    """An activation that is another function in Keras 2."""
    return keras.Sequential([L.Input((4,)), L.Dense(2, activation="hard_sigmoid", name="hard")])


def operation():
    """An operation between tensors, outside of layers."""
    inputs = L.Input((4,))
    return keras.Model(inputs, L.Dense(2)(inputs[:, ::2] * 2.0))


def main(folder):
    """Random weights everywhere; the first network is compiled and trained for a step."""
    rng = np.random.default_rng(0)
    for make in (residual, sequential, activations, hard, operation):
        model = make()
        for layer in model.layers:
            if not isinstance(layer, L.Normalization):  # which keeps what it was adapted to
                layer.set_weights([rng.uniform(0.1, 0.5, w.shape) for w in layer.get_weights()])
        x = rng.uniform(-3, 3, (4, *model.input_shape[1:])).astype("float32")
        if make is residual:
            model.compile("adam", "sparse_categorical_crossentropy")
            model.fit(x, np.zeros(4), verbose=0)
        np.savez(folder / f"{make.__name__}.npz", x=x, y=np.asarray(model(x)))
        for kind in (".keras", ".h5"):
            model.save(folder / f"{make.__name__}{kind}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
