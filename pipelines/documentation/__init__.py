"""Documentation as pages without a server: dbt's, with every column, and the catalogue of DAGs."""

from pipelines.documentation.pages import Documentation, build_documentation

__all__ = ["Documentation", "build_documentation"]
