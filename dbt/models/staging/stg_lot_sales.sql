with source as (

    select * from {{ source('clients', 'lot_sale') }}

),

renamed as (

    select
        transaction_id,
        lot_id,
        account_id,
        symbol,
        sold_date,
        quantity_micros,
        proceeds_cents,
        basis_cents,
        holding_period_start_date,
        recorded_at::timestamptz as recorded_at
    from source

)

select * from renamed
order by transaction_id, lot_id
