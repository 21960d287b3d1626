"""What Airflow's OpenLineage provider must be told of us, as environment variables.

Without a transport (``OPENLINEAGE_URL``, or ``AIRFLOW__OPENLINEAGE__TRANSPORT``) it sends nothing
and reads none of them.
"""

import json
from collections.abc import Mapping
from typing import Any

from pipelines.errors import SettingError

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

TRANSPORT = "AIRFLOW__OPENLINEAGE__TRANSPORT"

WITHOUT_ERROR_TEXTS = "openlineage_events.errors.WithoutErrorTexts"


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return them all for an environment, its transport without the texts of errors.

    Raises
    ------
    SettingError
        The transport is not JSON.
    """
    inner = _transport(environ)
    if not inner:
        return VARIABLES
    if inner.get("transformer_class") == WITHOUT_ERROR_TEXTS:
        return {**VARIABLES, TRANSPORT: environ[TRANSPORT]}
    wrapped = {"type": "transform", "transformer_class": WITHOUT_ERROR_TEXTS, "transport": inner}
    return {**VARIABLES, TRANSPORT: json.dumps(wrapped)}


def _transport(environ: Mapping[str, str]) -> dict[str, Any]:
    if given := environ.get(TRANSPORT):
        try:
            return dict(json.loads(given))
        except ValueError:
            # Not its value, which may hold a key.
            raise SettingError(
                f"variable {TRANSPORT}",
                "***",
                "it is not a JSON object",
                'Write it as {"type": "http", "url": "https://..."}.',
            ) from None
    if not (url := environ.get("OPENLINEAGE_URL")):
        return {}
    key = environ.get("OPENLINEAGE_API_KEY")
    auth = {"auth": {"type": "api_key", "apiKey": key}} if key else {}
    return {"type": "http", "url": url, **auth}
