"""The same network as users of PyTorch train it: windows gathered by index, its own LSTM.

Runs in PyTorch's own environment, so it imports nothing of ours but the task.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.train.task import (
    BATCH,
    EMBEDDING_SIZE,
    FEATURES,
    HORIZONS,
    LARGEST_GRADIENT,
    LEARNING_RATE,
    THREADS,
    UNITS,
    WEIGHT_DECAY,
    WIDEST_LOG_SCALE,
    WINDOW_SESSIONS,
    Task,
)


class Network(nn.Module):
    """Our network; time first, which ``nn.LSTM`` computes without copies."""

    def __init__(self, symbols: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(FEATURES, UNITS[0], num_layers=len(UNITS))
        self.embedding = nn.Embedding(symbols + 1, EMBEDDING_SIZE)
        self.head = nn.Linear(UNITS[-1] + EMBEDDING_SIZE, 2 * HORIZONS)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, windows: Tensor, symbols: Tensor) -> Tensor:
        """Return means and log scales, (batch, 2 * horizons)."""
        signal, _ = self.lstm(windows)
        return self.head(torch.cat([signal[-1], self.embedding(symbols)], dim=1))

    def take_weights(self, weights: list[Tensor]) -> None:
        """Take over those of our network; gates stand in the same order."""
        *lstms, embedding, kernel, bias = weights
        with torch.no_grad():
            for layer in range(len(UNITS)):
                into, recurrent, of_gates = lstms[3 * layer : 3 * layer + 3]
                getattr(self.lstm, f"weight_ih_l{layer}").copy_(into.T)
                getattr(self.lstm, f"weight_hh_l{layer}").copy_(recurrent.T)
                getattr(self.lstm, f"bias_ih_l{layer}").copy_(of_gates)
                getattr(self.lstm, f"bias_hh_l{layer}").zero_()
            self.embedding.weight.copy_(embedding)
            self.head.weight.copy_(kernel.T)
            self.head.bias.copy_(bias)


def negative_log_likelihood(target: Tensor, output: Tensor) -> Tensor:
    """Return that of a normal distribution, without its constant, summed over horizons."""
    mean, log_scale = output.chunk(2, dim=1)
    log_scale = log_scale.clamp(-WIDEST_LOG_SCALE, WIDEST_LOG_SCALE)
    scaled = (target - mean) * torch.exp(-log_scale)
    return (log_scale + 0.5 * scaled.square()).sum(dim=1).mean()


class Training:
    """Network, optimizer and data."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.rows = torch.from_numpy(task.features().reshape(-1, FEATURES))
        self.ends = torch.from_numpy(task.ends())
        self.targets = torch.from_numpy(task.targets())
        self.network = Network(task.symbols)
        decayed = [p for name, p in self.network.named_parameters() if "bias" not in name]
        others = [p for name, p in self.network.named_parameters() if "bias" in name]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": WEIGHT_DECAY},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=LEARNING_RATE,
        )
        self.steps = torch.arange(1 - WINDOW_SESSIONS, 1)[:, None]

    def output(self, chosen: Tensor) -> Tensor:
        """Return what the network says of windows, gathered by their numbers."""
        ends = self.ends[chosen]
        windows = self.rows[ends[:, 1] * self.task.sessions + ends[:, 0] + self.steps]
        return self.network(windows, ends[:, 1] + 1)

    def epoch(self) -> float:
        """Train on so many batches of windows in random order; return the mean loss."""
        order = torch.randperm(len(self.ends))
        total = 0.0
        for step in range(self.task.steps):
            chosen = order[(torch.arange(BATCH) + step * BATCH) % len(order)]
            self.optimizer.zero_grad()
            loss = negative_log_likelihood(self.targets[chosen], self.output(chosen))
            loss.backward()
            nn.utils.clip_grad_norm_(self.network.parameters(), LARGEST_GRADIENT)
            self.optimizer.step()
            total += loss.item()
        return total / self.task.steps


def train(task: Task, weights: Path) -> dict[str, Any]:
    """Train, and say how far forecasts are from ours when the weights are the same."""
    torch.manual_seed(1)
    training = Training(task)
    training.epoch()
    began = time.perf_counter()
    loss = training.epoch()
    seconds = time.perf_counter() - began
    ours = np.load(weights)
    names = sorted(name for name in ours.files if name.startswith("weights_"))
    training.network.take_weights([torch.from_numpy(ours[name]) for name in names])
    with torch.no_grad():
        forecasts = training.output(torch.arange(len(ours["forecasts"]))).numpy()
    error = float(np.abs(forecasts - ours["forecasts"]).max())
    return {"seconds": seconds, "loss": loss, "error": error}


def main() -> None:
    """Train the task that the command line gives."""
    torch.set_num_threads(THREADS)
    *task, weights = sys.argv[1:]
    print(json.dumps(train(Task.of_arguments(*task), Path(weights))))


if __name__ == "__main__":
    main()
