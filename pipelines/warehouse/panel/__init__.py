"""The panel: every accepted bar with its features, computed outside of SQL.

The dbt model ``int_last_bar`` calls ``build.build_panel`` with the staging relations. In a full
build (``full``) data flows

    stg_prices    -> staged    a batch of symbols at a time, by symbol and session, read ahead
    stg_actions   -> batch     bars of one price basis, and what a share became between them
                  -> ranking   the four ranked measures of all symbols, then their ranks
                  -> indicators, symbol    all features of one symbol after the other, in threads
                  -> parts     <workspace>/panel/<year | month | session>.parquet

A build that goes on from another one (``going_on``) computes what changed and no more

    base          the parts and last bars of that build, in inputs/base
                  -> continuing   new bars behind a symbol's last one, many symbols at once
    stg_prices    -> batch, indicators   symbols whose past changed, from their first bar on
                  -> merging     parts with a new row, and their ranks; the others are links

and what the next one needs stays beside the parts:

    panel.json          name, SHA-256 and rows of every part, and whether this build wrote it
    last_bars.parquet   the rows of int_last_bar: where the panel ends per symbol

The SQL model ``int_panel`` is a view over the parts; marts are views over that. Nothing here is
imported by ``pipelines.warehouse``: it runs in dbt's process and loads the compiler.
"""
