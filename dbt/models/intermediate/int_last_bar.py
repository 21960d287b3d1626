"""Write the panel of this build, and tell where it ends per symbol."""

from pathlib import Path


def model(dbt, _session):
    """Hand the staged relations to the panel's builder; see ``pipelines.warehouse.panel``."""
    from pipelines.warehouse.panel.build import build_panel
    from pipelines.warehouse.panel.staged import Staged

    staged = Staged(
        cut=dbt.ref("stg_cut"),
        raw_prices=dbt.source("lake", "prices"),
        prices=dbt.ref("stg_prices"),
        actions=dbt.ref("stg_actions"),
        universe=dbt.ref("stg_universe"),
        instruments=dbt.ref("stg_instruments"),
        changes=dbt.source("run", "change"),
    )
    return build_panel(staged, Path(dbt.config.get("workspace")), int(dbt.config.get("threads")))
