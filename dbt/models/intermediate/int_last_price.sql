with last_bars as (

    select * from {{ ref('int_last_bar') }}

),

later_splits as (

    select
        last_bars.symbol,
        list_product(list(actions.amount order by actions.session_date)) as share_ratio
    from last_bars
    inner join {{ ref('stg_actions') }} as actions
        on last_bars.symbol = actions.symbol
        and last_bars.session_date < actions.session_date
    where actions.kind = 'split' and last_bars.price_basis = 'as_traded'
    group by last_bars.symbol

),

priced as (

    select
        last_bars.symbol,
        last_bars.first_session_date,
        last_bars.session_count,
        last_bars.session_date as price_session_date,
        case when later_splits.symbol is null then last_bars.close_micros
            else round_even(last_bars.close_micros / later_splits.share_ratio, 0)::bigint
        end as price_micros,
        last_bars.session_date >= cut.oldest_fresh_session_date as price_is_fresh
    from last_bars
    left join later_splits using (symbol)
    cross join {{ ref('stg_cut') }} as cut

)

select * from priced
order by symbol
