"""Tells Airflow's masker our secrets, so that no task's log shows one, whichever library says it.

Airflow knows the secrets of its own connections and configuration; ours are in the environment.
"""

import os

from airflow.plugins_manager import AirflowPlugin
from airflow.sdk.log import mask_secret

from pipelines.secrets import environment_secrets

for secret in environment_secrets(os.environ):
    mask_secret(secret)


class SecretMasksPlugin(AirflowPlugin):
    """Registers nothing: importing this module is what it is for."""

    name = "secret_masks"
