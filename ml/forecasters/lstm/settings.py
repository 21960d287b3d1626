"""Size of the LSTM and work of its training."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LstmSettings:
    """Size of the network and work of its training.

    An epoch shows ``samples_per_epoch`` windows, drawn without repetition until all have been
    seen; training ends when ``patience_epochs`` epochs bring no better loss on what was held out.

    Attributes
    ----------
    window_sessions : sessions that the network looks at, the forecast's own included.
    units : of each LSTM layer.
    embedding_size : numbers that stand for a symbol.
    unknown_share : of training windows are shown without their symbol, so that the network also
        learns to forecast symbols that it does not know.
    dropout : share of each layer's outputs left out in training, the same through a window.
    learning_rate, weight_decay : of AdamW.
    stopping_samples : windows, at most, of the last part of training: the held-out loss is made of
        them.
    seeds : networks that are trained and averaged.
    """

    window_sessions: int = 60
    units: tuple[int, ...] = (32,)
    embedding_size: int = 4
    unknown_share: float = 0.1
    dropout: float = 0.2
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3
    batch_size: int = 512
    samples_per_epoch: int = 24_576
    stopping_samples: int = 6_144
    epochs: int = 12
    patience_epochs: int = 3
    seeds: int = 1
