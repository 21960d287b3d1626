"""Why a trade has its size: steps of targets, causes, and sentences for the client."""
