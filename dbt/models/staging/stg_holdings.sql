with source as (

    select * from {{ source('clients', 'holding') }}

),

renamed as (

    select
        account_id,
        version,
        symbol,
        quantity_micros,
        recorded_at::timestamptz as recorded_at
    from source

)

select * from renamed
order by account_id, version, symbol
