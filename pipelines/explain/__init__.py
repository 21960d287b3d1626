"""Why an advice is as it is: everything recorded of a trade, an account or a client's accounts.

Readers get surrogate keys and what the run recorded; personal data is not read.
"""

from pipelines.explain.document import Document
from pipelines.explain.facts import Explanation
from pipelines.explain.page import page
from pipelines.explain.sections import document
from pipelines.explain.stage import explain
from pipelines.explain.terminal import terminal_view

__all__ = ["Document", "Explanation", "document", "explain", "page", "terminal_view"]
