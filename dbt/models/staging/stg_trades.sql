{{ config(materialized='view') }}

with source as (

    select * from {{ source('advice', 'trade') }}

),

renamed as (

    select
        trade_id,
        run_id,
        account_id,
        symbol,
        side,
        quantity_micros,
        price_micros,
        notional_cents,
        fee_cents,
        sequence,
        valid_until
    from source

)

select * from renamed
