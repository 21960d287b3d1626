"""The one way to TensorFlow and Keras, which take seconds to import."""

from functools import cache
from types import ModuleType


@cache
def tensorflow() -> ModuleType:
    """Import TensorFlow, made to give equal bits on every run of one machine, and return it."""
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    return tf


def keras() -> ModuleType:
    """Import Keras on TensorFlow and return it."""
    tensorflow()
    import keras as module

    return module
