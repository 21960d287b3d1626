"""The one way to TensorFlow and Keras, which take seconds to import."""

from functools import cache
from types import ModuleType

PARALLEL_OPERATIONS = 2
"""How many operations run at a time; this changes no bit, the threads inside one would."""


@cache
def tensorflow() -> ModuleType:
    """Import TensorFlow, made to give equal bits with any number of cores, and return it.

    Each operation runs in one thread: TensorFlow splits its sums by the number of threads, and so
    rounds them by it. Two cores are kept busy by two halves of a batch instead, which also
    spares the halves to wait for each other at each session of a window.
    """
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(PARALLEL_OPERATIONS)
    tf.config.experimental.enable_op_determinism()
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)
    return tf


def keras() -> ModuleType:
    """Import Keras on TensorFlow and return it."""
    tensorflow()
    import keras as module

    return module


def has_gpu() -> bool:
    """Say whether TensorFlow sees a GPU."""
    return bool(tensorflow().config.list_physical_devices("GPU"))
