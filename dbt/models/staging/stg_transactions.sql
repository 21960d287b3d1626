with source as (

    select * from {{ source('clients', 'transaction') }}

),

renamed as (

    select
        transaction_id,
        account_id,
        kind,
        trade_id,
        cash_flow_id,
        symbol,
        quantity_micros,
        price_micros,
        fee_cents,
        cash_cents,
        executed_at::timestamptz as executed_at,
        trade_date,
        settlement_date,
        reverses,
        recorded_at::timestamptz as recorded_at
    from source

)

select * from renamed
order by transaction_id
