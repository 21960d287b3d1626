"""The one way to TensorFlow and Keras, which take seconds to import."""

from functools import cache
from types import ModuleType

THREADS = 2
"""Fixed, because TensorFlow splits its sums by the number of threads, and so rounds them by it."""

THREADS = 2
"""Fixed, because TensorFlow splits its sums by the number of threads, and so rounds them by it."""


@cache
def tensorflow() -> ModuleType:
    """Import TensorFlow, made to give equal bits with any number of cores, and return it."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(THREADS)
    tf.config.experimental.enable_op_determinism()
    return tf


def keras() -> ModuleType:
    """Import Keras on TensorFlow and return it."""
    tensorflow()
    import keras as module

    return module
