with prices as (

    select * from {{ ref('stg_prices') }}

),

returns as (

    select symbol, session_date, log_return_1d, simple_return_1d from {{ ref('int_returns') }}

)

select
    symbol,
    session_date,
    prices.source,
    prices.close,
    prices.close_micros,
    returns.log_return_1d,
    returns.simple_return_1d,
    prices.known_at,
    prices.known_at_basis
from prices
inner join returns using (symbol, session_date)
order by symbol, session_date
