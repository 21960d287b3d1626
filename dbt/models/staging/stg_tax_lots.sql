with source as (

    select * from {{ source('clients', 'tax_lot') }}

),

renamed as (

    select
        account_id,
        version,
        lot_id,
        symbol,
        quantity_micros,
        acquired_date,
        holding_period_start_date,
        basis_cents,
        carried_over_loss_cents,
        transaction_id,
        recorded_at::timestamptz as recorded_at
    from source

)

select * from renamed
order by account_id, lot_id
