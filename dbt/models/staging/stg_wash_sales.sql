with source as (

    select * from {{ source('clients', 'wash_sale') }}

),

renamed as (

    select
        transaction_id,
        lot_id,
        replacement_lot_id,
        account_id,
        replacement_account_id,
        quantity_micros,
        disallowed_cents,
        is_forfeited,
        recorded_at::timestamptz as recorded_at
    from source

)

select * from renamed
order by transaction_id, lot_id, replacement_lot_id
