"""The one way to TensorFlow: what must be set before it is imported, is set here."""

import os
from functools import cache
from types import ModuleType

_BEFORE_IMPORT = {
    # Waiting threads that spin take the cores from the other processes of the machine.
    "OMP_WAIT_POLICY": "PASSIVE",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "KERAS_BACKEND": "tensorflow",
}


@cache
def tensorflow() -> ModuleType:
    """Import TensorFlow, with equal bits on every run of one machine, and return it.

    A variable that the user has set wins.
    """
    for name, value in _BEFORE_IMPORT.items():
        os.environ.setdefault(name, value)
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    return tf


def keras() -> ModuleType:
    """Import Keras on TensorFlow and return it."""
    tensorflow()
    import keras as module

    return module
