with instruments as (

    select * from {{ ref('stg_instruments') }}

),

last_price as (

    select * from {{ ref('int_last_price') }}

),

members as (

    select distinct universe.symbol
    from {{ ref('stg_universe') }} as universe
    inner join {{ ref('stg_cut') }} as cut
        on cut.session_date between
            universe.member_from and coalesce(universe.member_until, cut.session_date)

),

final as (

    select
        instruments.symbol,
        instruments.source,
        instruments.name,
        instruments.asset_class,
        instruments.currency,
        instruments.expense_ratio_bps,
        instruments.substitute_group,
        instruments.reference_weight,
        instruments.tradable,
        members.symbol is not null or not exists (from {{ ref('stg_universe') }}) as is_member,
        last_price.first_session_date,
        coalesce(last_price.session_count, 0) as session_count,
        last_price.price_micros,
        last_price.price_session_date,
        coalesce(last_price.price_is_fresh, false) as price_is_fresh
    from instruments
    left join last_price on instruments.symbol = last_price.symbol
    left join members on instruments.symbol = members.symbol

)

select * from final
order by symbol
