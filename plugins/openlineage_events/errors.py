"""Events without the texts of errors, which may quote a row, hence personal data, or a secret.

Airflow's provider puts text and stack of whatever a task raised into the event and cannot be told
not to; a transport of the client's kind ``transform`` can.
"""

from typing import Any

from openlineage.client.generated.error_message_run import ErrorMessageRunFacet
from openlineage.client.transport.transform import EventTransformer

_FACET = "errorMessage"


class WithoutErrorTexts(EventTransformer):
    """Says of an error that there was one; why is told by its alert, and stands in the log."""

    def transform(self, event: Any) -> Any:
        """Return an event of a run, or of anything else, as it may be sent."""
        facets = getattr(getattr(event, "run", None), "facets", None) or {}
        if _FACET in facets:
            facets[_FACET] = ErrorMessageRunFacet("see the task's log", "python")
        return event
