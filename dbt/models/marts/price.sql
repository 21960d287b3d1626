with prices as (

    select * from {{ ref('stg_prices') }}

),

adjustment as (

    select
        symbol,
        session_date,
        share_femtos,
        growth_femtos,
        last_value(share_femtos) over symbols as last_share_femtos,
        last_value(growth_femtos) over symbols as last_growth_femtos
    from {{ ref('int_adjustment') }}
    window symbols as (
        partition by symbol order by session_date
        rows between unbounded preceding and unbounded following
    )

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
    prices.price_basis,
    prices.close / {{ growth_between('last_share_femtos', 'share_femtos') }}
        as split_adjusted_close,
    prices.close / {{ growth_between('last_growth_femtos', 'growth_femtos') }}
        as total_return_close,
    returns.log_return_1d,
    returns.simple_return_1d,
    prices.known_at,
    prices.known_at_basis
from prices
inner join adjustment using (symbol, session_date)
inner join returns using (symbol, session_date)
order by symbol, session_date
