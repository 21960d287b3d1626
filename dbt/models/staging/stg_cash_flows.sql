with source as (

    select * from {{ source('clients', 'cash_flow') }}

),

renamed as (

    select
        cash_flow_id,
        version,
        account_id,
        kind,
        amount_cents,
        frequency,
        first_date,
        last_date,
        status,
        recorded_at::timestamptz as recorded_at
    from source

)

select * from renamed
order by cash_flow_id
