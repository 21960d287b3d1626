"""How the house is run: processes, the embedded Airflow, the daily run and the user interfaces."""
