with prices as (

    select symbol, session_date, close_micros, price_basis from {{ ref('int_adjustment') }}

),

last_price as (

    select
        symbol,
        min(session_date) as first_session_date,
        count(*) as session_count,
        max(session_date) as price_session_date,
        arg_max(close_micros, session_date) as close_micros,
        arg_max(price_basis, session_date) as price_basis
    from prices
    group by symbol

),

later_splits as (

    select
        last_price.symbol,
        list_product(list(actions.amount order by actions.session_date)) as share_ratio
    from last_price
    inner join {{ ref('stg_actions') }} as actions
        on last_price.symbol = actions.symbol
        and last_price.price_session_date < actions.session_date
    where actions.kind = 'split' and last_price.price_basis = 'as_traded'
    group by last_price.symbol

)

select
    last_price.symbol,
    last_price.first_session_date,
    last_price.session_count,
    last_price.price_session_date,
    case when later_splits.symbol is null then last_price.close_micros
        else round_even(last_price.close_micros / later_splits.share_ratio, 0)::bigint
    end as price_micros,
    last_price.price_session_date >= cut.oldest_fresh_session_date as price_is_fresh
from last_price
left join later_splits using (symbol)
cross join {{ ref('stg_cut') }} as cut
order by last_price.symbol
