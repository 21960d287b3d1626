"""What Airflow's OpenLineage provider must be told of us, as environment variables.

Without a transport (``OPENLINEAGE_URL``, or ``AIRFLOW__OPENLINEAGE__TRANSPORT``) it sends nothing
and reads none of them.
"""

NAMESPACE = "smartinvest"

VARIABLES = {
    "AIRFLOW__OPENLINEAGE__EXTRACTORS": "openlineage_events.assets.AssetExtractor",
    "AIRFLOW__OPENLINEAGE__CUSTOM_RUN_FACETS": "openlineage_events.assets.session_facets",
    "AIRFLOW__OPENLINEAGE__NAMESPACE": NAMESPACE,
    # A task's source code is in git; an event names its release.
    "AIRFLOW__OPENLINEAGE__EMISSION_POLICY": (
        '[{"scope": {}, "controls": {"include_source_code": false}}]'
    ),
}
