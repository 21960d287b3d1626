{{ config(materialized='view') }}

with source as (

    select * from {{ source('lake', 'prices') }}

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
        price_basis,
        known_at::timestamptz as known_at,
        known_at_basis
    from source

),

known as (

    {{ known_versions('renamed', 'prices', ['source', 'symbol', 'session_date']) }}

)

select * from known
