select
    symbol,
    session_date,
    kind,
    amount,
    source,
    known_at,
    known_at_basis
from {{ ref('stg_actions') }}
order by symbol, session_date, kind
