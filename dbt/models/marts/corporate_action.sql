with final as (

    select
        symbol,
        session_date,
        kind,
        amount,
        source,
        known_at,
        known_at_basis
    from {{ ref('stg_actions') }}

)

select * from final
order by symbol, session_date, kind
