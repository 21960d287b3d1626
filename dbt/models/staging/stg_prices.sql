with source as (

    select * from {{ source('lake', 'prices') }}

),

rejected as (

    select distinct source, symbol, session_date, known_at::timestamptz as known_at
    from {{ source('lake', 'quarantined_prices') }}

),

renamed as (

    select
        source,
        symbol,
        session_date,
        open,
        high,
        low,
        close,
        case when isfinite(close) then round_even(close * 1e6, 0)::bigint end as close_micros,
        volume,
        known_at::timestamptz as known_at,
        known_at_basis
    from source

),

known as (

    select renamed.*
    from renamed
    inner join {{ ref('stg_cut') }} as cut
        on renamed.source = cut.source
        and renamed.session_date <= cut.session_date
        and renamed.known_at <= cut.known_at_cut

),

accepted as (

    select known.*
    from known
    anti join rejected
        on known.source = rejected.source
        and known.symbol = rejected.symbol
        and known.session_date = rejected.session_date
        and known.known_at = rejected.known_at

)

select * from accepted
qualify {{ is_latest_version(['source', 'symbol', 'session_date']) }}
order by symbol, session_date
