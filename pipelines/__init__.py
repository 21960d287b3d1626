"""How data moves: one package per stage. Nothing here imports Airflow."""
