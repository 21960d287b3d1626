"""Rank information coefficient: whether forecasts order symbols as their outcomes do."""

import numpy as np

from ml.evaluation.skill import Mask
from ml.rolling import Floats

LEAST_SYMBOLS_RANKED = 5
"""Sessions with fewer symbols are left out: their rank correlations are nearly all noise."""


def average_ranks(values: Floats) -> Floats:
    """Return ranks from 1 within each row, equal values sharing their mean rank; NaN stays NaN.

    All values are finite or NaN.
    """
    missing = np.isnan(values)
    known = np.where(missing, np.inf, values)  # numpy sorts several times faster without NaN
    order = np.argsort(known, axis=1)
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, np.arange(1.0, values.shape[1] + 1)[None, :], axis=1)
    in_order = np.sort(known, axis=1)
    tied = np.flatnonzero(_has_ties(in_order))
    tied_ranks = np.empty((len(tied), values.shape[1]))
    np.put_along_axis(tied_ranks, order[tied], _mean_ranks(in_order[tied]), axis=1)
    ranks[tied] = tied_ranks
    ranks[missing] = np.nan
    return ranks


def rank_correlations(ranks: Floats, other_ranks: Floats) -> Floats:
    """Return Spearman's correlation of each row, (sessions,), from the ranks of both.

    NaN where a row has fewer than 5 symbols, or says nothing of order since all are equal.
    """
    seen = np.isfinite(ranks)
    counts = seen.sum(axis=1)
    middle = (counts[:, None] + 1) / 2.0  # mean rank, with ties too
    own = np.where(seen, ranks - middle, 0.0)
    other = np.where(seen, other_ranks - middle, 0.0)
    product = np.einsum("ij,ij->i", own, other)
    scale = np.sqrt(np.einsum("ij,ij->i", own, own) * np.einsum("ij,ij->i", other, other))
    enough = (counts >= LEAST_SYMBOLS_RANKED) & (scale > 0)
    return np.where(enough, product / np.where(enough, scale, 1.0), np.nan)


def _has_ties(in_order: Floats) -> Mask:
    """Return which ascending rows hold a value twice; missing ones, infinite here, do not count."""
    equal = (in_order[:, 1:] == in_order[:, :-1]) & (in_order[:, 1:] < np.inf)
    ties: Mask = equal.any(axis=1)
    return ties


def _mean_ranks(in_order: Floats) -> Floats:
    """Return ranks of ascending rows, the mean rank for equal values."""
    places = np.arange(in_order.shape[1])
    differs = in_order[:, 1:] != in_order[:, :-1]
    edge = np.ones((len(in_order), 1), np.bool_)
    begins, ends = np.hstack([edge, differs]), np.hstack([differs, edge])
    first = np.maximum.accumulate(np.where(begins, places, 0), axis=1)
    backwards = np.where(ends, places, places[-1])[:, ::-1]
    last = np.minimum.accumulate(backwards, axis=1)[:, ::-1]
    mean_ranks: Floats = (first + last) / 2.0 + 1.0
    return mean_ranks
