"""Where the pages of `smartinvest docs` lie: below a home, and in a lake that machines share."""

INDEX = "docs/index.html"
DBT = "docs/dbt/index.html"
DAGS = "docs/dags/index.html"

PAGES = (INDEX, DBT, DAGS)
