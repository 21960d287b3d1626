{#- A close may stand in for a missing later one, but not for longer than this. -#}
{%- set carried_days = 7 -%}

with prices as (

    select symbol, session_date, close_micros from {{ ref('stg_prices') }}

),

last_price as (

    select
        symbol,
        min(session_date) as first_session_date,
        count(*) as session_count,
        max(session_date) as price_session_date,
        arg_max(close_micros, session_date) as price_micros
    from prices
    group by symbol

)

select
    last_price.*,
    cut.session_date - last_price.price_session_date <= {{ carried_days }} as price_is_fresh
from last_price
cross join {{ ref('stg_cut') }} as cut
order by symbol
